{
  lib,
  stdenv,
  rustPlatform,
  installShellFiles,
}:

let
  manifest = (lib.importTOML ../Cargo.toml).package;
in
rustPlatform.buildRustPackage {
  pname = manifest.name;
  inherit (manifest) version;

  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../Cargo.lock
      ../Cargo.toml
      ../src
      ../systemd
      ../prometheus
      ../tests
      (lib.fileset.maybeMissing ../benches)
    ];
  };

  cargoLock.lockFile = ../Cargo.lock;

  nativeBuildInputs = [ installShellFiles ];

  # The others ask several Pythons, become root, or boot systems.
  cargoTestFlags = [ "--lib" ];

  postInstall = ''
    for unit in systemd/*.service systemd/*.timer; do
      install -D -m 644 -t $out/lib/systemd/system "$unit"
    done
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

  meta = {
    inherit (manifest) description homepage;
    longDescription = ''
      Odoo writes a file for each session, and visitors, robots and health checks make many of them.
      odoo-session-reaper tells sessions of logged-in users from those of visitors, and deletes the ones that
      were not saved for longer than their inactivity window, from a systemd timer and in a sandbox, so that
      Odoo's own session garbage collection can be turned off.
    '';
    license = lib.licenses.mit;
    mainProgram = "odoo-session-reaper";
    maintainers = [ ];
    platforms = lib.platforms.linux;
  };
}
