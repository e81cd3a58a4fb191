//! Migrates `DATABASE_URL` with the migrations in the folder named by the first argument, under sqlx's own lock;
//! with a second argument, takes back what comes after that version.

use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use std::path::Path;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.first().ok_or("the folder of migrations is missing")?;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect(&std::env::var("DATABASE_URL")?)
        .await?;
    let migrator = Migrator::new(Path::new(folder)).await?;
    match arguments.get(1) {
        Some(version) => migrator.undo(&pool, version.parse()?).await?,
        None => migrator.run(&pool).await?,
    }
    pool.close().await;
    Ok(())
}
