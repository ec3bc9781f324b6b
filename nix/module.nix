{
  config,
  lib,
  pkgs,
  utils,
  ...
}:

let
  cfg = config.services.odoo-session-reaper;
  odoo = config.services.odoo;

  inherit (lib) mkOption types;

  # ---- Durations, as the program reads them.

  unitSeconds = {
    s = 1;
    sec = 1;
    m = 60;
    min = 60;
    h = 3600;
    hr = 3600;
    d = 86400;
    day = 86400;
    w = 604800;
    week = 604800;
  };

  duration = types.strMatching "([0-9]+ *(s|sec|m|min|h|hr|d|day|w|week)s? *)+" // {
    description = "duration such as 7d, 36h or 1h 30m (m is minutes)";
  };

  seconds =
    text:
    let
      parts = builtins.filter builtins.isList (builtins.split "([0-9]+) *([a-z]+)" text);
      singular = unit: if unit == "s" then unit else lib.removeSuffix "s" unit;
      value =
        part: lib.toIntBase10 (builtins.head part) * unitSeconds.${singular (builtins.elemAt part 1)};
    in
    lib.foldl' (sum: part: sum + value part) 0 parts;

  shorter = text: least: text != null && seconds text < least;

  # ---- The options of one store: of the host's own one, and of each instance.

  storeOptions =
    {
      dataDir,
      dataDirText ? null,
    }:
    {
      dataDir = mkOption (
        {
          type = types.nullOr (types.strMatching "/.*");
          default = dataDir;
          example = "/srv/odoo";
          description = ''
            Odoo's data_dir; the sessions are in its directory `sessions`. If it lies in
            `/var/lib/private/NAME`, the reaper runs with `DynamicUser=` and `StateDirectory=NAME`, as the Odoo
            service does that it belongs to.
          '';
        }
        // lib.optionalAttrs (dataDirText != null) {
          defaultText = lib.literalExpression dataDirText;
        }
      );

      configFile = mkOption {
        type = types.nullOr types.path;
        default = null;
        example = "/etc/odoo/odoo.conf";
        description = ''
          An odoo.conf whose sections `[session_reaper]` and `[session_reaper:DBNAME]` are used, and its data_dir
          if `dataDir` is null. The sandbox lets only the usual places be written to, so name the `dataDir` too
          for any other.
        '';
      };

      user = mkOption {
        type = types.str;
        default = "odoo";
        description = "The user that Odoo runs as.";
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

      authenticatedWindow = mkOption {
        type = types.nullOr duration;
        default = null;
        example = "7d";
        description = ''
          How long the session of a logged-in user lives after it was last saved; by default what `configFile`
          says, or else 7d.
        '';
      };

      anonymousWindow = mkOption {
        type = types.nullOr duration;
        default = null;
        example = "1d";
        description = ''
          How long the session of a visitor lives after it was last saved; by default what `configFile` says, or
          else 1d.
        '';
      };

      cartWindow = mkOption {
        type = types.nullOr duration;
        default = null;
        description = ''
          How long the session of a visitor with a cart or a wishlist lives after it was last saved; by default as
          long as that of a logged-in user.
        '';
      };

      leftoverWindow = mkOption {
        type = types.nullOr duration;
        default = null;
        example = "1d";
        description = ''
          How long unfinished saves and upload stashes are kept, at least 1h; by default what `configFile` says,
          or else 1d.
        '';
      };

      unreadableWindow = mkOption {
        type = types.nullOr duration;
        default = null;
        description = ''
          How long files are kept that have a session's name but do not read as one; by default for ever.
        '';
      };

      allowShortWindow = mkOption {
        type = types.bool;
        default = false;
        description = ''
          Whether to allow an authenticated window or a lifetime under 2h, which logs out users who are working.
        '';
      };

      keepLogins = mkOption {
        # They are joined by commas, and one inside would make two patterns of one.
        type = types.listOf (types.strMatching "[^,]+");
        default = [ ];
        example = [ "kiosk*" ];
        description = "Patterns of logins whose sessions never expire; without commas.";
      };

      maxLifetime = mkOption {
        type = types.nullOr duration;
        default = null;
        example = "30d";
        description = ''
          The longest time since a login, however active its session is (Odoo 18 and newer); by default for ever.
        '';
      };

      lastSeen = mkOption {
        type = types.nullOr (
          types.enum [
            "mtime"
            "atime"
          ]
        );
        default = null;
        description = ''
          What tells when a session was used last: its last save (`mtime`), or that or the last time that Odoo read
          it (`atime`); by default what `configFile` says, or else `mtime`.
        '';
      };

      metricsFile = mkOption {
        type = types.nullOr (types.strMatching "/.*/.*\\.prom");
        default = null;
        example = "/var/lib/odoo-session-reaper/odoo_sessions.prom";
        description = ''
          Where metrics are left for the textfile collector of Prometheus' node_exporter. `/var/lib/odoo-session-reaper`
          (of an instance: `/var/lib/odoo-session-reaper-NAME`) is made for it, except beside a `dataDir` in
          `/var/lib/private`, whose reaper needs a directory that its group may write to. Link the file into the
          directory that node_exporter reads, or have node_exporter read this one.
        '';
      };

      extraArgs = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "--no-logins" ];
        description = "More arguments for `odoo-session-reaper reap`.";
      };
    };

  # ---- What becomes of them: overrides for the package's own units.

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
        User = store.user;
        Group = store.group;
      }
    else
      {
        # Exactly what the Odoo service has: a unit with anything else cannot delete there, or changes the
        # directory's owner under the running Odoo.
        DynamicUser = true;
        User = store.user;
        StateDirectory = [
          ""
          (stateDirectory store)
        ];
        # The state directory is writable as a whole. The attachments stay out of reach.
        ReadOnlyPaths = "-${lib.removeSuffix "/" store.dataDir}/filestore";
      };

  place =
    store:
    let
      # The unit's own state directory is writable anyhow.
      metrics =
        if store.metricsFile == null || lib.hasPrefix "/var/lib/odoo-session-reaper" store.metricsFile then
          [ ]
        else
          [ "-${dirOf store.metricsFile}" ];
      writable = paths: lib.optionalAttrs (paths != [ ]) { ReadWritePaths = toString paths; };
    in
    if store.dataDir == null || stateDirectory store != null then
      writable metrics
    else if lib.hasPrefix "/home/" store.dataDir then
      {
        ProtectHome = "tmpfs";
        BindPaths = sessions store;
      }
      // writable metrics
    else
      writable ([ "-${sessions store}" ] ++ metrics);

  service = store: {
    # A run in progress ends by itself; the next one is the new configuration's.
    restartIfChanged = false;
    # An empty state directory must not be made before Odoo makes its own.
    unitConfig = lib.optionalAttrs (stateDirectory store != null) {
      ConditionPathIsDirectory = sessions store;
    };
    environment = lib.filterAttrs (_: value: value != null) {
      ODOO_SESSION_REAPER_DATA_DIR = store.dataDir;
      ODOO_SESSION_REAPER_CONFIG = if store.configFile == null then null else toString store.configFile;
      ODOO_SESSION_REAPER_AUTHENTICATED_WINDOW = store.authenticatedWindow;
      ODOO_SESSION_REAPER_ANONYMOUS_WINDOW = store.anonymousWindow;
      ODOO_SESSION_REAPER_CART_WINDOW = store.cartWindow;
      ODOO_SESSION_REAPER_LEFTOVER_WINDOW = store.leftoverWindow;
      ODOO_SESSION_REAPER_UNREADABLE_WINDOW = store.unreadableWindow;
      ODOO_SESSION_REAPER_METRICS_FILE = store.metricsFile;
      ODOO_SESSION_REAPER_ALLOW_SHORT_WINDOW = if store.allowShortWindow then "true" else null;
      ODOO_SESSION_REAPER_KEEP_LOGIN =
        if store.keepLogins == [ ] then null else lib.concatStringsSep "," store.keepLogins;
      ODOO_SESSION_REAPER_MAX_LIFETIME = store.maxLifetime;
      ODOO_SESSION_REAPER_LAST_SEEN = store.lastSeen;
    };
    serviceConfig =
      account store
      // place store
      // {
        # Settings come from here only.
        EnvironmentFile = "";
      }
      // lib.optionalAttrs (store.extraArgs != [ ]) {
        ExecStart = [
          ""
          "${lib.getExe cfg.package} reap ${utils.escapeSystemdExecArgs store.extraArgs}"
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
in
{
  options.services.odoo-session-reaper = {
    enable = lib.mkEnableOption "odoo-session-reaper, which deletes expired sessions of Odoo";

    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The odoo-session-reaper package to use.";
    };

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
      type = types.attrsOf (types.submodule { options = storeOptions { dataDir = null; }; });
      default = { };
      example = lib.literalExpression ''{ shop.dataDir = "/srv/odoo/shop"; }'';
      description = "More stores, each with a timer of its own: `odoo-session-reaper@NAME.timer`.";
    };
  }
  // storeOptions {
    dataDir =
      if odoo.enable then
        odoo.settings.options.data_dir or "/var/lib/private/odoo/.local/share/Odoo"
      else
        null;
    dataDirText = "config.services.odoo.settings.options.data_dir, if services.odoo is enabled";
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
    ]
    ++ lib.concatLists (
      lib.mapAttrsToList (name: store: [
        {
          assertion = store.dataDir != null || store.configFile != null;
          message = "${name}: name a dataDir or a configFile.";
        }
        {
          assertion = store.allowShortWindow || !(shorter store.authenticatedWindow (2 * 3600));
          message = "${name}: an authenticatedWindow under 2h logs out users who are working; if that is meant, set allowShortWindow.";
        }
        {
          assertion = store.allowShortWindow || !(shorter store.maxLifetime (2 * 3600));
          message = "${name}: a maxLifetime under 2h logs out users who are working; if that is meant, set allowShortWindow.";
        }
        {
          assertion = !(shorter store.leftoverWindow 3600);
          message = "${name}: leftoverWindow is under 1h, and a save under way must not lose its file.";
        }
      ]) units
    );

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
