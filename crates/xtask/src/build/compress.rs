//! Brotli and gzip copies beside every file, for hosts that send such copies, and the table of sizes.

use std::path::Path;

use xshell::{Shell, cmd};

/// Writes `FILE.br` and `FILE.gz` and prints what a browser transfers. Node brings both compressors along.
pub fn every_file(shell: &Shell, folder: &Path) -> anyhow::Result<()> {
    Ok(cmd!(shell, "node crates/xtask/src/build/compress.mjs {folder}").quiet().run()?)
}
