# What nix/module.nix makes of some settings, with nixpkgs' stand-in. NOT a NixOS evaluation.
#
#   nix-instantiate --store dummy:// --readonly-mode --eval --strict --json tests/packaging/nix/eval.nix --arg settings '{ enable = true; }'
{
  settings,
  # What services.odoo says of itself.
  odoo ? { },
  # Other services of the host.
  services ? { },
  users ? [
    "odoo"
    "erp"
  ],
}:

let
  pkgs = import ./nixpkgs/pkgs.nix "x86_64-linux";
  system = pkgs.nixos {
    imports = [ ../../../nix/module.nix ];
    services = {
      inherit odoo;
      odoo-session-reaper = {
        package = pkgs.hello;
      }
      // settings;
    };
    systemd = { inherit services; };
    users.users = pkgs.lib.genAttrs users (_: { });
    users.groups.odoo = { };
  };
  options = system.options // system.options.settings.type.options;
in
assert pkgs.lib.all (option: option._option) (builtins.attrValues options);
{
  inherit (system) failed;
  config = system.made;
  defaults = builtins.mapAttrs (_: option: option.default) (
    builtins.removeAttrs options [ "package" ]
  );
  undocumented = builtins.filter (name: (options.${name}.description or "") == "") (
    builtins.attrNames options
  );
}
