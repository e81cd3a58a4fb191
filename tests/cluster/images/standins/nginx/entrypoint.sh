#!/bin/sh
# Fills in the templates, as nginx's image does: only variables of the environment, since nginx has some of its own.
set -eu
for template in /etc/nginx/templates/*.template; do
  [ -e "$template" ] || continue
  name=${template##*/}
  envsubst "$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/${\1}/p')" < "$template" > "/etc/nginx/conf.d/${name%.template}"
done
exec "$@"
