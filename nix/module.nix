{
  config,
  lib,
  pkgs,
  ...
}:

let
  cfg = config.services.odoo-session-reaper;
  odoo = config.services.odoo;

  inherit (lib) mkOption types;

  # ---- The options of one store: of the host's own one, and of each instance.

  absolutePath = types.strMatching "/[^\n]*";

  storeOptions =
    {
      dataDir ? { },
      configFile ? { },
    }:
    {
      dataDir = mkOption (
        {
          type = types.nullOr absolutePath;
          default = null;
          example = "/srv/odoo";
          description = ''
            Odoo's data_dir; the sessions are in its directory `sessions`. If it lies in
            `/var/lib/private/NAME`, the reaper runs with `DynamicUser=` and `StateDirectory=NAME`, as the Odoo
            service does that it belongs to.
          '';
        }
        // dataDir
      );

      configFile = mkOption (
        {
          type = types.nullOr types.path;
          default = null;
          example = "/etc/odoo/odoo.conf";
          description = ''
            An odoo.conf whose sections `[session_reaper]` and `[session_reaper:DBNAME]` are used, and its data_dir
            if `dataDir` is null. The sandbox lets only the usual places be written to, so name the `dataDir` too
            for any other. If it holds passwords write it as a string: a Nix path is copied to the store, which
            everybody may read.
          '';
        }
        // configFile
      );

      user = mkOption {
        type = types.str;
        default = "odoo";
        description = "The user that Odoo runs as. It is declared elsewhere, with Odoo.";
      };

      group = mkOption {
        type = types.str;
        default = "odoo";
        description = "The group that Odoo runs as. Not used with `DynamicUser=`.";
      };

      schedule = mkOption {
        type = types.str;
        default = "hourly";
        example = "*:0/15";
        description = "When to reap, in the format of {manpage}`systemd.time(7)`.";
      };

      settings = mkOption {
        type = types.submodule {
          freeformType = types.attrsOf (
            types.nullOr (
              types.oneOf [
                types.bool
                types.int
                types.str
                # They are joined by commas, and one inside would make two of one.
                (types.listOf (types.strMatching "[^,]+"))
              ]
            )
          );

          options.metrics_file = mkOption {
            type = types.nullOr (types.strMatching "/[^\n]*/[^/\n]+\\.prom");
            default = null;
            example = "/var/lib/odoo-session-reaper/odoo_sessions.prom";
            description = ''
              Where metrics are left for the textfile collector of Prometheus' node_exporter.
              `/var/lib/odoo-session-reaper` (of an instance: `/var/lib/odoo-session-reaper-NAME`) is made for it,
              except beside a `dataDir` in `/var/lib/private`, whose reaper needs a directory that its group may
              write to. Link the file into the directory that node_exporter reads, or have node_exporter read this
              one.
            '';
          };
        };
        default = { };
        example = {
          authenticated_window = "7d";
          anonymous_window = "6h";
          keep_login = [ "kiosk*" ];
          dry_run = true;
        };
        description = ''
          The options of `odoo-session-reaper reap`, with `_` for `-`, as in the section `[session_reaper]` of
          odoo.conf, which they beat. A misspelt one, or a value that cannot be meant, makes the run fail.
        '';
      };
    };

  # ---- What becomes of them: overrides for the package's own units, which bring the sandbox.

  # systemd puts something of its own in the place of a `%`.
  literally = lib.replaceStrings [ "%" ] [ "%%" ];

  # A path in a list of them. Quotes and backslashes have JSON's meaning to systemd, too.
  inList = prefix: path: literally (builtins.toJSON "${prefix}${path}");

  # The NAME of /var/lib/private/NAME, where a service with DynamicUser= keeps its state.
  stateDirectory =
    store:
    let
      match = builtins.match "/var/lib/private/([^/]+)(/.*)?" (toString store.dataDir);
    in
    if match == null then null else builtins.head match;

  sessions = store: "${lib.removeSuffix "/" store.dataDir}/sessions";

  account =
    store:
    if stateDirectory store == null then
      {
        User = literally store.user;
        Group = literally store.group;
      }
    else
      {
        # Exactly what the Odoo service has: a unit with anything else cannot delete there, or changes the
        # directory's owner under the running Odoo. DynamicUser= implies RemoveIPC=: at the end of a run systemd would
        # remove what this user has in shared memory, but not while another unit, Odoo's, has the same dynamic user.
        DynamicUser = true;
        User = literally store.user;
        StateDirectory = [
          ""
          (inList "" (stateDirectory store))
        ];
        # The state directory is writable as a whole. The attachments stay out of reach.
        ReadOnlyPaths = inList "-" "${lib.removeSuffix "/" store.dataDir}/filestore";
      };

  place =
    store:
    let
      atHome = builtins.match "/(home|root)/.*" (toString store.dataDir) != null;
      writable =
        lib.optional (store.settings.metrics_file != null) (dirOf store.settings.metrics_file)
        ++ lib.optional (store.dataDir != null && stateDirectory store == null && !atHome) (sessions store);
    in
    lib.optionalAttrs atHome {
      ProtectHome = "tmpfs";
      BindPaths = inList "" (sessions store);
    }
    // lib.optionalAttrs (writable != [ ]) { ReadWritePaths = map (inList "-") writable; };

  variables =
    store:
    lib.mapAttrs'
      (
        name: value:
        lib.nameValuePair "ODOO_SESSION_REAPER_${lib.toUpper name}" (
          literally (
            if builtins.isBool value then
              lib.boolToString value
            else if builtins.isList value then
              lib.concatStringsSep "," value
            else
              toString value
          )
        )
      )
      (
        lib.filterAttrs (_: value: value != null) (
          store.settings
          // {
            data_dir = store.dataDir;
            # A Nix path as its copy in the store, for the host does not have what lies beside its configuration.
            config = lib.mapNullable (path: "${path}") store.configFile;
          }
        )
      );

  service = store: {
    # A run in progress ends by itself; the next one is the new configuration's.
    restartIfChanged = false;
    # An empty state directory must not be made before Odoo makes its own.
    unitConfig = lib.optionalAttrs (stateDirectory store != null) {
      ConditionPathIsDirectory = literally (sessions store);
    };
    environment = variables store;
    serviceConfig =
      account store
      // place store
      // {
        # Settings come from here only.
        EnvironmentFile = "";
        # The program and its libraries are nowhere else.
        ExecPaths = [
          ""
          "/nix/store"
        ];
      };
  };

  timer = store: {
    wantedBy = [ "timers.target" ];
    timerConfig = lib.optionalAttrs (store.schedule != "hourly") {
      OnCalendar = [
        ""
        store.schedule
      ];
    };
  };

  # ---- All stores of the host.

  named = cfg.dataDir != null || cfg.configFile != null;

  units =
    lib.optionalAttrs named { odoo-session-reaper = cfg; }
    // lib.mapAttrs' (name: lib.nameValuePair "odoo-session-reaper@${name}") cfg.instances;

  # An instance has no unit file of its own that an override could be merged with.
  asDropin =
    name: lib.optionalAttrs (name != "odoo-session-reaper") { overrideStrategy = "asDropin"; };

  override = settings: lib.mapAttrs (name: store: settings store // asDropin name) units;

  where =
    store:
    if store.dataDir != null then lib.removeSuffix "/" store.dataDir else toString store.configFile;

  # ---- What cannot be meant.

  # The directories of /var/lib that are only links into /var/lib/private, because their service has a dynamic user.
  linked = lib.concatMap (
    service:
    lib.optionals (lib.elem (service.serviceConfig.DynamicUser or false) [
      true
      "true"
      "yes"
    ]) (lib.splitString " " (toString (service.serviceConfig.StateDirectory or [ ])))
  ) (lib.attrValues config.systemd.services);

  assertionsOf =
    name: store:
    let
      option = "services.${lib.replaceStrings [ "@" ] [ ".instances." ] name}";
      dataDir = toString store.dataDir;
      below = lib.removePrefix "/var/lib/" dataDir;
      first = builtins.head (lib.splitString "/" below);
      dynamic = stateDirectory store != null;
    in
    map (it: it // { message = "${option}: ${it.message}"; }) [
      {
        assertion = store.dataDir != null || store.configFile != null;
        message = "name a dataDir or a configFile.";
      }
      {
        assertion = !(lib.hasPrefix "/var/lib/" dataDir && lib.elem first linked);
        message = "${dataDir} is of a service with DynamicUser=, and only a link leads there: write dataDir = \"/var/lib/private/${below}\".";
      }
      {
        assertion = dynamic || config.users.users ? ${store.user};
        message = "there is no user ${store.user}: set `user` to the one that Odoo runs as, or declare users.users.${store.user}.";
      }
      {
        assertion = dynamic || config.users.groups ? ${store.group};
        message = "there is no group ${store.group}: set `group` to the one that Odoo runs as, or declare users.groups.${store.group}.";
      }
      {
        assertion = lib.all (key: builtins.match "[a-z][a-z_]*" key != null) (lib.attrNames store.settings);
        message = "a setting is called as in odoo.conf, of letters and `_`.";
      }
      {
        assertion =
          !(lib.any (key: store.settings ? ${key}) [
            "data_dir"
            "sessions_dir"
            "config"
          ]);
        message = "name the store with dataDir or configFile, not in settings: the sandbox is made for them.";
      }
    ];
in
{
  options.services.odoo-session-reaper = {
    enable = lib.mkEnableOption "odoo-session-reaper, which deletes expired sessions of Odoo";

    package = lib.mkPackageOption pkgs "odoo-session-reaper" { };

    disableOdooGc = mkOption {
      type = types.bool;
      default = odoo.enable;
      defaultText = lib.literalExpression "config.services.odoo.enable";
      description = ''
        Whether to turn off the session garbage collection of `odoo.service` itself. Older builds of Odoo 16 and
        17 have no such switch.
      '';
    };

    instances = mkOption {
      type = types.attrsOf (types.submodule { options = storeOptions { }; });
      default = { };
      example = lib.literalExpression ''{ shop.dataDir = "/srv/odoo/shop"; }'';
      description = "More stores, each with a timer of its own: `odoo-session-reaper@NAME.timer`.";
    };
  }
  // storeOptions {
    dataDir = {
      default =
        if odoo.enable then
          odoo.settings.options.data_dir or "/var/lib/private/odoo/.local/share/Odoo"
        else
          null;
      defaultText = lib.literalMD "the data_dir of `services.odoo`, if that is enabled";
    };
    configFile = {
      default =
        let
          ours = lib.filterAttrs (
            section: _: section == "session_reaper" || lib.hasPrefix "session_reaper:" section
          ) odoo.settings;
        in
        # Without the other sections: they have passwords.
        if odoo.enable && ours != { } then (pkgs.formats.ini { }).generate "odoo.conf" ours else null;
      defaultText = lib.literalMD "`session_reaper` and `\"session_reaper:DBNAME\"` of `services.odoo.settings`, if that is enabled and has them";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = units != { };
        message = "services.odoo-session-reaper: name a dataDir, a configFile or instances.";
      }
      {
        assertion = lib.allUnique (map where (lib.attrValues units));
        message = "services.odoo-session-reaper: two instances work on one store.";
      }
      {
        assertion = lib.all (name: builtins.match "[a-zA-Z0-9:_.-]{1,200}" name != null) (
          lib.attrNames cfg.instances
        );
        message = "services.odoo-session-reaper: an instance's name is part of a unit's name, of letters, digits and `:_.-`.";
      }
    ]
    ++ lib.concatLists (lib.mapAttrsToList assertionsOf units);

    environment.systemPackages = [ cfg.package ];

    systemd.packages = [ cfg.package ];

    systemd.services =
      override service
      // lib.optionalAttrs cfg.disableOdooGc {
        odoo.environment = {
          ODOO_DISABLE_SESSION_GC = "1";
          ODOO_SKIP_GC_SESSIONS = "1";
        };
      };

    systemd.timers = override timer;
  };
}
