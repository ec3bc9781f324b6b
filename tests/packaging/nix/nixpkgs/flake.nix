# Stands in for nixpkgs, which CI cannot reach: enough of its library and its functions to evaluate nix/flake.nix by
# `nix flake check`, and to build and test the package in Nix' own sandbox, with this machine's Rust. NOT nixpkgs.
{
  outputs =
    { self }:
    {
      lib = import ./lib.nix;
      legacyPackages = self.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (import ./pkgs.nix);
    };
}
