docker run --rm --user 101:101 --read-only --cap-drop ALL --security-opt no-new-privileges --network none \
  --mount type=volume,source=odoo-data,destination=/var/lib/odoo \
  odoo-session-reaper:0.1.0 reap --data-dir /var/lib/odoo
