# Evaluates nix/module.nix without nixpkgs, which CI cannot reach: a few functions of its library are stood in
# for, just enough to see what the module makes of some settings. NOT a NixOS evaluation.
#
#   nix-instantiate --eval --strict --json tests/packaging/nix/eval.nix --arg settings '{ enable = true; }'
{
  settings,
  # What services.odoo says of itself.
  odoo ? {
    enable = false;
    settings = { };
  },
  # Other services of the host.
  services ? { },
  users ? [
    "odoo"
    "erp"
  ],
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
    int = type "an integer" builtins.isInt;
    path = type "a path" (value: builtins.isPath value || builtins.match "/.*" value != null);
    package = type "a package" (_: true);
    strMatching = regex: type "matching ${regex}" (value: builtins.match regex value != null);
    enum = values: type "one of ${toString values}" (value: builtins.elem value values);
    # Those of the real library know without merging whether a value is theirs.
    nullOr = elem: {
      merge = value: if value == null then null else elem.merge value;
    };
    oneOf = choices: {
      merge =
        value:
        let
          fit = choice: builtins.tryEval (builtins.deepSeq (choice.merge value) true);
          fits = builtins.filter (choice: (fit choice).success) choices;
        in
        if fits == [ ] then refuse "of any type" value else (builtins.head fits).merge value;
    };
    listOf = elem: {
      merge = value: if builtins.isList value then map elem.merge value else refuse "a list" value;
    };
    attrsOf = elem: { merge = builtins.mapAttrs (_: elem.merge); };
    submodule =
      {
        options,
        freeformType ? null,
      }:
      {
        inherit options;
        merge =
          given:
          if freeformType == null then
            resolve options given
          else
            freeformType.merge (builtins.removeAttrs given (builtins.attrNames options))
            // resolve options (builtins.intersectAttrs options given);
      };
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
    literalMD = text: text;
    getExe = package: "${package}/bin/odoo-session-reaper";
    inherit (builtins)
      all
      any
      attrNames
      attrValues
      concatLists
      concatMap
      concatStringsSep
      elem
      mapAttrs
      replaceStrings
      ;
    boolToString = value: if value then "true" else "false";
    optional = condition: value: if condition then [ value ] else [ ];
    optionals = condition: values: if condition then values else [ ];
    splitString = separator: text: builtins.filter builtins.isString (builtins.split separator text);
    toUpper =
      let
        characters = text: builtins.filter (it: it != "" && it != [ ]) (builtins.split "" text);
      in
      builtins.replaceStrings (characters "abcdefghijklmnopqrstuvwxyz") (
        characters "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
      );
    removePrefix =
      prefix: text:
      if hasPrefix prefix text then builtins.substring (builtins.stringLength prefix) (-1) text else text;
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
  };

  module = import ../../../nix/module.nix {
    inherit lib;
    pkgs = {
      callPackage = _: _: "/nix/store/PACKAGE";
      # What would be in the file.
      formats.ini = _: { generate = name: content: "/nix/store/${name} ${builtins.toJSON content}"; };
    };
    config = {
      services = {
        inherit odoo;
        odoo-session-reaper = resolve module.options.services.odoo-session-reaper settings;
      };
      systemd.services = module.config.systemd.services // services;
      users.users = lib.mapAttrs (_: _: { }) (
        builtins.listToAttrs (map (name: lib.nameValuePair name null) users)
      );
      users.groups.odoo = { };
    };
  };

  options = module.options.services.odoo-session-reaper;
  all = options // options.settings.type.options;
in
assert builtins.all isOption (builtins.attrValues all);
{
  inherit (module) config;
  failed = map (assertion: assertion.message) (
    builtins.filter (assertion: !assertion.assertion) (module.config.assertions or [ ])
  );
  defaults = builtins.mapAttrs (_: option: option.default) (
    builtins.removeAttrs options [ "package" ]
  );
  undocumented = builtins.filter (name: (all.${name}.description or "") == "") (
    builtins.attrNames all
  );
}
