# The functions of nixpkgs' library that nix/ uses. The types merge one definition, which pkgs.nix has made of all.
let
  refuse = what: value: throw "${builtins.toJSON value} is not ${what}";
  type = what: check: {
    merge = value: if check value then value else refuse what value;
  };

  types = {
    str = type "a string" builtins.isString;
    bool = type "a boolean" builtins.isBool;
    int = type "an integer" builtins.isInt;
    path = type "a path" (value: builtins.match "/.*" (toString value) != null);
    package = type "a package" (value: value.type or null == "derivation");
    strMatching = regex: type "matching ${regex}" (value: builtins.match regex value != null);
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
            lib.resolve options given
          else
            freeformType.merge (builtins.removeAttrs given (builtins.attrNames options))
            // lib.resolve options (builtins.intersectAttrs options given);
      };
  };

  lib = rec {
    inherit types;

    # Not of nixpkgs: the values of OPTIONS, GIVEN some.
    resolve =
      options: given:
      let
        unknown = builtins.attrNames (builtins.removeAttrs given (builtins.attrNames options));
      in
      if unknown != [ ] then
        throw "unknown options: ${toString unknown}"
      else
        builtins.mapAttrs (name: option: option.type.merge (given.${name} or option.default)) options;

    mkOption = option: { _option = true; } // option;
    mkEnableOption =
      description:
      mkOption {
        type = types.bool;
        default = false;
        inherit description;
      };
    mkPackageOption =
      pkgs: name:
      { }:
      mkOption {
        type = types.package;
        default = pkgs.${name} or (throw "nixpkgs has no ${name}");
        description = "The ${name} package to use.";
      };
    mkIf = condition: content: if condition then content else { };
    mkDefault = content: {
      _default = true;
      inherit content;
    };
    literalExpression = text: text;
    literalMD = text: text;

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
    mapNullable = f: value: if value == null then null else f value;
    boolToString = value: if value then "true" else "false";
    optional = condition: value: if condition then [ value ] else [ ];
    optionals = condition: values: if condition then values else [ ];
    optionalString = condition: text: if condition then text else "";
    splitString = separator: text: builtins.filter builtins.isString (builtins.split separator text);
    toUpper =
      let
        characters = text: builtins.filter (it: it != "" && it != [ ]) (builtins.split "" text);
      in
      builtins.replaceStrings (characters "abcdefghijklmnopqrstuvwxyz") (
        characters "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
      );
    hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
    removePrefix =
      prefix: text:
      if hasPrefix prefix text then builtins.substring (builtins.stringLength prefix) (-1) text else text;
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

    optionalAttrs = condition: attrs: if condition then attrs else { };
    nameValuePair = name: value: { inherit name value; };
    genAttrs = names: f: builtins.listToAttrs (map (name: nameValuePair name (f name)) names);
    mapAttrsToList = f: attrs: map (name: f name attrs.${name}) (builtins.attrNames attrs);
    mapAttrs' = f: attrs: builtins.listToAttrs (mapAttrsToList f attrs);
    filterAttrs =
      keep: attrs:
      builtins.listToAttrs (
        builtins.filter (pair: keep pair.name pair.value) (mapAttrsToList nameValuePair attrs)
      );
    recursiveUpdate =
      old: new:
      if builtins.isAttrs old && builtins.isAttrs new then
        old // builtins.mapAttrs (name: value: recursiveUpdate (old.${name} or null) value) new
      else
        new;

    importTOML = path: builtins.fromTOML (builtins.readFile path);
    fileset = {
      unions = paths: paths;
      toSource =
        { root, fileset }:
        builtins.path {
          name = "source";
          path =
            assert all builtins.pathExists fileset;
            root;
          filter =
            path: _:
            any (
              file:
              path == toString file || hasPrefix "${toString file}/" path || hasPrefix "${path}/" (toString file)
            ) fileset;
        };
    };

    licenses.mit.spdxId = "MIT";
    platforms.linux = [
      "x86_64-linux"
      "aarch64-linux"
    ];
    trivial.release = "26.11";
  };
in
lib
