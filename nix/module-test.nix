# Whole systems with the module. They are evaluated and not built, so `nix flake check --no-build` tells.
{
  lib,
  hello,
  nixos,
  runCommand,
  module,
}:

let
  toplevel =
    configuration:
    (nixos {
      imports = [
        module
        configuration
      ];
      services.odoo-session-reaper.enable = true;
      boot.isContainer = true;
      system.stateVersion = lib.trivial.release;
    }).config.system.build.toplevel.drvPath;

  erp = {
    users.users.erp = {
      isSystemUser = true;
      group = "erp";
    };
    users.groups.erp = { };
    services.odoo-session-reaper.instances.erp = {
      dataDir = "/srv/erp";
      user = "erp";
      group = "erp";
    };
  };

  accepted = [
    {
      services.odoo.enable = true;
      # Of Odoo itself nothing is looked at.
      services.odoo.package = hello;
      services.odoo.settings.session_reaper.anonymous_window = "6h";
    }
    erp
    (lib.recursiveUpdate erp {
      services.odoo-session-reaper.instances.erp = {
        dataDir = "/home/erp/data";
        configFile = "/etc/odoo/erp.conf";
        schedule = "*:0/15";
        settings = {
          keep_login = [ "kiosk*" ];
          max_logouts = 100;
          dry_run = true;
          metrics_file = "/var/lib/odoo-session-reaper-erp/odoo_sessions.prom";
        };
      };
    })
  ];

  refused = [
    { }
    { services.odoo-session-reaper.dataDir = "/srv/nobody-declared-the-user-odoo"; }
    (lib.recursiveUpdate erp { services.odoo-session-reaper.instances.erp.dataDir = "srv/erp"; })
    (lib.recursiveUpdate erp { services.odoo-session-reaper.instances.erp.settings.keep-login = "a"; })
  ];
in
assert lib.all (configuration: !(builtins.tryEval (toplevel configuration)).success) refused;
runCommand "odoo-session-reaper-module" {
  # Their names only, so that nothing of them is built.
  systems = map (
    configuration: builtins.unsafeDiscardStringContext (toplevel configuration)
  ) accepted;
} "touch $out"
