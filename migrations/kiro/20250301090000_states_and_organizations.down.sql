DROP TABLE organizations;
DROP TABLE states;
