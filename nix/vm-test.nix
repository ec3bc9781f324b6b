# An Odoo host in a virtual machine: a service with the account of nixpkgs' own services.odoo, a store beside
# its filestore, and an instance with a user of its own.
{
  name = "odoo-session-reaper";

  nodes.machine = {
    services.odoo-session-reaper = {
      enable = true;
      dataDir = "/var/lib/private/odoo/data";
      disableOdooGc = true;
      instances.shop = {
        dataDir = "/srv/shop";
        user = "shop";
        group = "shop";
        settings.anonymous_window = "6h";
      };
    };

    users.groups.shop = { };
    users.users.shop = {
      isSystemUser = true;
      group = "shop";
    };

    systemd.services.odoo = {
      wantedBy = [ "multi-user.target" ];
      script = ''
        mkdir -p "$STATE_DIRECTORY"/data/{sessions,filestore}/ab
        echo "$ODOO_DISABLE_SESSION_GC$ODOO_SKIP_GC_SESSIONS" > "$STATE_DIRECTORY/gc-off"
        exec sleep infinity
      '';
      serviceConfig = {
        DynamicUser = true;
        User = "odoo";
        StateDirectory = "odoo";
      };
    };

  };

  testScript = ''
    def session(data_dir, sid, age):
        path = f"{data_dir}/sessions/{sid[:2]}/{sid}"
        content = '{"db": "prod", "uid": 2, "login": "admin"}'
        machine.succeed(
            f"mkdir -p {data_dir}/sessions/{sid[:2]}",
            f"echo -n '{content}' > {path}",
            f"chown -R --reference={data_dir}/sessions {data_dir}/sessions/*",
            f"touch -d '{age} days ago' {path}",
            f"touch {data_dir}/sessions",
        )
        return path

    machine.wait_for_unit("odoo.service")
    machine.wait_for_unit("timers.target")
    odoo = "/var/lib/private/odoo/data"
    shop = "/srv/shop"

    with subtest("Odoo's own garbage collection is off"):
        machine.wait_until_succeeds("grep 11 /var/lib/private/odoo/gc-off")

    with subtest("both timers run"):
        machine.succeed("systemctl is-active odoo-session-reaper.timer odoo-session-reaper@shop.timer")

    with subtest("the dynamic user's store is reaped, and the other one is not"):
        machine.succeed(f"install -d -o shop -g shop -m 700 {shop}/sessions")
        old = session(odoo, "ab" + "x" * 82, 30)
        young = session(odoo, "cd" + "x" * 82, 1)
        other = session(shop, "ab" + "y" * 82, 30)
        machine.succeed(f"cp {old} {odoo}/filestore/ab/", "systemctl start odoo-session-reaper.service")
        machine.succeed(f"test ! -e {old}", f"test -s {young}", f"test -s {other}")
        machine.succeed(f"test -s {odoo}/filestore/{old[-87:]}")

    with subtest("the instance reaps its own"):
        machine.succeed("systemctl start odoo-session-reaper@shop.service")
        machine.succeed(f"test ! -e {other}", f"test -s {young}")

    with subtest("the running Odoo keeps its directory"):
        machine.succeed("systemctl is-active odoo.service")
        machine.fail("systemctl --failed --quiet | grep .")
  '';
}
