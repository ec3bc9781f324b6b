system:

let
  lib = import ./lib.nix;

  # What may be an argument of a package.
  pkgs = {
    inherit lib nixos;

    callPackage =
      file: arguments:
      let
        function = import file;
        wanted = builtins.functionArgs function;
        missing = builtins.removeAttrs wanted (builtins.attrNames (pkgs // arguments));
      in
      if missing != { } then
        throw "nixpkgs has no ${toString (builtins.attrNames missing)}"
      else
        function (builtins.intersectAttrs wanted pkgs // arguments);

    stdenv = {
      hostPlatform.system = system;
      buildPlatform.canExecute = _: true;
    };
    rustPlatform = { inherit buildRustPackage; };
    # The names are build.sh's.
    installShellFiles = "installShellFiles";
    versionCheckHook = "versionCheckHook";

    runCommand =
      name: variables: command:
      derive (variables // { inherit name; }) command;
    testers = { inherit runNixOSTest; };

    # What would be in the file.
    formats.ini = _: { generate = name: content: "/nix/store/${name} ${builtins.toJSON content}"; };

    hello = derive { name = "hello"; } "exit 1";
    nixfmt-tree = derive { name = "nixfmt-tree"; } "exit 1";
  };

  derive =
    variables: command:
    derivation (
      {
        inherit system;
        builder = "/bin/bash";
        args = [
          "-euc"
          command
        ];
        # Of this machine, where tests/packaging/nix.sh puts it.
        PATH = "/rust/bin:/usr/bin:/bin";
      }
      // variables
    );

  buildRustPackage =
    makeArguments:
    let
      arguments = makeArguments (arguments // { finalPackage = package; });
      forBash = {
        inherit (arguments)
          src
          version
          doInstallCheck
          cargoTestFlags
          nativeBuildInputs
          nativeInstallCheckInputs
          postInstall
          ;
        inherit (arguments.meta) mainProgram;
      };
      known = forBash // {
        inherit (arguments)
          pname
          passthru
          meta
          cargoLock
          __structuredAttrs
          ;
      };
      unknown = builtins.removeAttrs arguments (builtins.attrNames known);
      package =
        derive (forBash // { name = "${arguments.pname}-${arguments.version}"; }) "source ${./build.sh}"
        // arguments.passthru
        // known;
    in
    assert (lib.importTOML arguments.cargoLock.lockFile).version >= 3;
    if unknown != { } then
      throw "buildRustPackage does not know ${toString (builtins.attrNames unknown)}"
    else
      package;

  # ---- Of NixOS: definitions are merged, and the one module with options makes something of those of its service.

  isPlain = value: builtins.isAttrs value && value.type or null != "derivation";
  merge =
    old: new:
    if old._default or false then
      new
    else if new._default or false then
      old
    else if builtins.isList old && builtins.isList new then
      old ++ new
    else if isPlain old && isPlain new then
      old // builtins.mapAttrs (name: value: if old ? ${name} then merge old.${name} value else value) new
    else
      throw "defined twice: ${builtins.toJSON old} and ${builtins.toJSON new}";
  mergeAll = builtins.foldl' merge { };

  nixos =
    configuration:
    let
      flatten =
        module:
        let
          content = if builtins.isPath module then import module else module;
          parts = if builtins.isFunction content then content { inherit lib pkgs config; } else content;
        in
        lib.concatMap flatten (parts.imports or [ ]) ++ [ (builtins.removeAttrs parts [ "imports" ]) ];
      modules = flatten configuration;
      declaring = builtins.head (builtins.filter (parts: parts ? options) modules);
      options = declaring.options.services.odoo-session-reaper;
      given = mergeAll (builtins.filter (parts: !(parts ? options)) modules);

      odoo = lib.recursiveUpdate {
        enable = false;
        settings = { };
      } (given.services.odoo or { });
      # What nixpkgs' own services.odoo is, as far as the reaper is concerned.
      ofOdoo = lib.optionalAttrs odoo.enable {
        users.users.odoo = { };
        users.groups.odoo = { };
        systemd.services.odoo.serviceConfig = {
          DynamicUser = true;
          User = "odoo";
          StateDirectory = "odoo";
        };
      };

      config = {
        services = {
          odoo = odoo // {
            settings = lib.recursiveUpdate (lib.optionalAttrs odoo.enable {
              options.data_dir = "/var/lib/private/odoo/data";
            }) odoo.settings;
          };
          odoo-session-reaper = lib.resolve options (
            builtins.mapAttrs (_: value: value.content or value) (given.services.odoo-session-reaper or { })
          );
        };
        users = mergeAll [
          {
            users = { };
            groups = { };
          }
          (given.users or { })
          (ofOdoo.users or { })
        ];
        systemd = mergeAll [
          { services = { }; }
          (given.systemd or { })
          (ofOdoo.systemd or { })
          (made.systemd or { })
        ];
        system.build.toplevel =
          if failed != [ ] then
            throw "failed assertions: ${toString failed}"
          else
            derive {
              name = "nixos-system";
              content = builtins.toJSON [
                config.systemd
                made.environment
              ];
            } "exit 1";
      };
      made = declaring.config;
      failed = map (assertion: assertion.message) (
        builtins.filter (assertion: !assertion.assertion) (made.assertions or [ ])
      );
    in
    {
      inherit
        config
        options
        made
        failed
        ;
    };

  runNixOSTest =
    test:
    let
      whole = mergeAll (map import test.imports ++ [ (builtins.removeAttrs test [ "imports" ]) ]);
      systems = builtins.mapAttrs (
        _: node:
        nixos {
          imports = [
            node
            whole.defaults
          ];
        }
      ) whole.nodes;
    in
    derive {
      name = "vm-test-run-${whole.name}";
      inherit (whole) testScript;
      nodes = map (system: system.config.system.build.toplevel) (builtins.attrValues systems);
    } "exit 1";
in
pkgs
