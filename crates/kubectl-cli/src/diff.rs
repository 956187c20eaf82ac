//! `kubectl diff`: two folders of files, and the program that compares them. Upstream: `DiffProgram`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use kubectl::Comparison;

use crate::connection::now;

/// Runs `diff`, or what `KUBECTL_EXTERNAL_DIFF` names. Its exit code is ours: 1 means that something differs.
pub fn run(compared: &[Comparison]) -> io::Result<i32> {
    let live = Folder::new("LIVE", compared.iter().map(|one| (&one.file, Some(&one.live))))?;
    let merged = Folder::new("MERGED", compared.iter().map(|one| (&one.file, one.merged.as_ref())))?;
    io::stdout().flush()?;
    let external = std::env::var("KUBECTL_EXTERNAL_DIFF").unwrap_or_default();
    let (program, arguments) = program(&external);
    let status = Command::new(program).args(arguments).args([&live.0, &merged.0]).status();
    match status.as_ref().map(|status| status.code()) {
        Ok(Some(code @ (0 | 1))) => return Ok(code),
        Ok(Some(code)) => eprintln!("error: failed to run {program:?}: exit status {code}"),
        Ok(None) => eprintln!("error: failed to run {program:?}: signal: killed"),
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            eprintln!("error: failed to run {program:?}: executable file not found in $PATH");
        }
        Err(why) => eprintln!("error: failed to run {program:?}: {why}"),
    }
    Ok(2)
}

/// The program and its arguments. Of those that the variable names only plain ones are passed on.
fn program(external: &str) -> (&str, Vec<&str>) {
    let mut words = external.split(' ');
    match words.next() {
        None | Some("") => ("diff", vec!["-u", "-N"]),
        Some(program) => {
            let is_plain = |word: &&str| {
                !word.is_empty() && word.chars().all(|letter| letter.is_ascii_alphanumeric() || "-=".contains(letter))
            };
            (program, words.filter(is_plain).collect())
        }
    }
}

/// A temporary folder, which is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new<'a>(name: &str, files: impl Iterator<Item = (&'a String, Option<&'a String>)>) -> io::Result<Folder> {
        let folder = Folder(std::env::temp_dir().join(format!("{name}-{}", now() % 10_000_000_000)));
        std::fs::create_dir_all(&folder.0)?;
        for (file, text) in files {
            if let Some(text) = text {
                std::fs::write(Path::new(&folder.0).join(file), text)?;
            }
        }
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn only_plain_arguments_are_passed_on() {
        assert_eq!(program(""), ("diff", vec!["-u", "-N"]));
        assert_eq!(program("colordiff -N -u $(rm) a/b --width=3"), ("colordiff", vec!["-N", "-u", "--width=3"]));
    }
}
