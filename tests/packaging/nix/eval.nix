# Evaluates nix/module.nix without nixpkgs, which CI cannot reach: a few functions of its library are stood in
# for, just enough to see what the module makes of some settings. NOT a NixOS evaluation.
#
#   nix-instantiate --eval --strict --json tests/packaging/nix/eval.nix --arg settings '{ enable = true; }'
{
  settings,
  # What services.odoo says of itself.
  odoo ? {
    enable = false;
  },
}:

let
  isOption = value: value._option or false;
  refuse = what: value: throw "${builtins.toJSON value} is not ${what}";
  type = what: check: {
    merge = value: if check value then value else refuse what value;
  };

  types = {
    str = type "a string" builtins.isString;
    bool = type "a boolean" builtins.isBool;
    path = type "a path" (value: builtins.isPath value || builtins.match "/.*" value != null);
    package = type "a package" (_: true);
    strMatching = regex: type "matching ${regex}" (value: builtins.match regex value != null);
    enum = values: type "one of ${toString values}" (value: builtins.elem value values);
    nullOr = elem: {
      merge = value: if value == null then null else elem.merge value;
    };
    listOf = elem: { merge = map elem.merge; };
    attrsOf = elem: { merge = builtins.mapAttrs (_: elem.merge); };
    submodule = { options }: { merge = resolve options; };
  };

  resolve =
    options: given:
    let
      unknown = builtins.attrNames (builtins.removeAttrs given (builtins.attrNames options));
    in
    if unknown != [ ] then
      throw "unknown options: ${toString unknown}"
    else
      builtins.mapAttrs (
        name: option: option.type.merge (if given ? ${name} then given.${name} else option.default)
      ) options;

  lib = rec {
    inherit types;
    mkOption = option: { _option = true; } // option;
    mkEnableOption =
      description:
      mkOption {
        type = types.bool;
        default = false;
        inherit description;
      };
    mkIf = condition: content: if condition then content else { };
    literalExpression = text: text;
    getExe = package: "${package}/bin/odoo-session-reaper";
    inherit (builtins)
      attrValues
      concatLists
      concatStringsSep
      filter
      foldl'
      mapAttrs
      ;
    optionalAttrs = condition: attrs: if condition then attrs else { };
    nameValuePair = name: value: { inherit name value; };
    mapAttrsToList = f: attrs: map (name: f name attrs.${name}) (builtins.attrNames attrs);
    mapAttrs' = f: attrs: builtins.listToAttrs (mapAttrsToList f attrs);
    filterAttrs =
      keep: attrs:
      builtins.listToAttrs (
        builtins.filter (pair: keep pair.name pair.value) (mapAttrsToList nameValuePair attrs)
      );
    hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
    removeSuffix =
      suffix: text:
      let
        rest = builtins.stringLength text - builtins.stringLength suffix;
      in
      if rest >= 0 && builtins.substring rest (-1) text == suffix then
        builtins.substring 0 rest text
      else
        text;
    allUnique =
      list:
      builtins.length list == builtins.length (
        builtins.attrNames (
          builtins.listToAttrs (
            map (name: nameValuePair (builtins.unsafeDiscardStringContext name) null) list
          )
        )
      );
    toIntBase10 = text: builtins.fromJSON (builtins.head (builtins.match "0*([0-9]+)" text));
  };

  module = import ../../../nix/module.nix {
    inherit lib;
    pkgs.callPackage = _: _: "/nix/store/PACKAGE";
    utils.escapeSystemdExecArgs = args: toString (map builtins.toJSON args);
    config.services = {
      inherit odoo;
      odoo-session-reaper = resolve module.options.services.odoo-session-reaper settings;
    };
  };
in
assert builtins.all isOption (builtins.attrValues module.options.services.odoo-session-reaper);
{
  inherit (module) config;
  failed = map (assertion: assertion.message) (
    builtins.filter (assertion: !assertion.assertion) (module.config.assertions or [ ])
  );
  defaults = builtins.mapAttrs (_: option: option.default) (
    builtins.removeAttrs module.options.services.odoo-session-reaper [ "package" ]
  );
  descriptions = builtins.mapAttrs (
    _: option: option.description or ""
  ) module.options.services.odoo-session-reaper;
  undocumented = builtins.filter (
    name: (module.options.services.odoo-session-reaper.${name}.description or "") == ""
  ) (builtins.attrNames module.options.services.odoo-session-reaper);
}
