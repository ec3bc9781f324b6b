{
  lib,
  stdenv,
  rustPlatform,
  installShellFiles,
  testers,
  versionCheckHook,
}:

let
  manifest = (lib.importTOML ../Cargo.toml).package;
in
rustPlatform.buildRustPackage (finalAttrs: {
  pname = manifest.name;
  inherit (manifest) version;

  __structuredAttrs = true;

  # What cargo reads and postInstall installs: a change to a page of docs builds nothing anew.
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../Cargo.lock
      ../Cargo.toml
      ../benches
      ../prometheus
      ../src
      ../systemd
      ../tests
    ];
  };

  cargoLock.lockFile = ../Cargo.lock;

  nativeBuildInputs = [ installShellFiles ];

  # The others want docs, root or other people's tools; some take minutes.
  cargoTestFlags = [ "--lib" ];

  postInstall = ''
    install -D -m 644 -t $out/lib/systemd/system systemd/*.service systemd/*.timer
    substituteInPlace $out/lib/systemd/system/*.service \
      --replace-fail /usr/bin/odoo-session-reaper $out/bin/odoo-session-reaper
    install -D -m 644 -t $out/share/odoo-session-reaper/odoo.service.d systemd/odoo.service.d/*.conf
    install -D -m 644 -t $out/share/odoo-session-reaper prometheus/*.rules.yml
  ''
  + lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    mkdir man
    $out/bin/odoo-session-reaper man --dir man
    installManPage man/*.1
    installShellCompletion --cmd odoo-session-reaper \
      --bash <($out/bin/odoo-session-reaper completions bash) \
      --fish <($out/bin/odoo-session-reaper completions fish) \
      --zsh <($out/bin/odoo-session-reaper completions zsh)
  '';

  nativeInstallCheckInputs = [ versionCheckHook ];
  doInstallCheck = true;

  passthru.tests.vm = testers.runNixOSTest {
    imports = [ ./vm-test.nix ];
    defaults = {
      imports = [ ./module.nix ];
      services.odoo-session-reaper.package = finalAttrs.finalPackage;
    };
  };

  meta = {
    inherit (manifest) description homepage;
    longDescription = ''
      Odoo writes a file for each session, and visitors, robots and health checks make many of them.
      odoo-session-reaper tells sessions of logged-in users from those of visitors, and deletes the ones that
      were not saved for longer than their inactivity window, from a systemd timer and in a sandbox, so that
      Odoo's own session garbage collection can be turned off.
    '';
    changelog = "${manifest.repository}/blob/v${finalAttrs.version}/CHANGELOG.md";
    license = lib.licenses.mit;
    # Cargo's "NAME <ADDRESS>".
    maintainers = map (
      author:
      let
        parts = builtins.match "(.*) <(.*)>" author;
      in
      {
        name = builtins.elemAt parts 0;
        email = builtins.elemAt parts 1;
      }
    ) manifest.authors;
    mainProgram = "odoo-session-reaper";
    platforms = lib.platforms.linux;
  };
})
