use std::fmt;

/// Why a file operation failed; prints as the C library's `strerror`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FsError {
    NotFound,
    NotADirectory,
    IsADirectory,
    ReadOnly,
    NoSpace,
    Exists,
    NotEmpty,
    TooManyLinks,
    Busy,
    Invalid,
}

impl fmt::Display for FsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "No such file or directory",
            Self::NotADirectory => "Not a directory",
            Self::IsADirectory => "Is a directory",
            Self::ReadOnly => "Read-only file system",
            Self::NoSpace => "No space left on device",
            Self::Exists => "File exists",
            Self::NotEmpty => "Directory not empty",
            Self::TooManyLinks => "Too many levels of symbolic links",
            Self::Busy => "Resource busy",
            Self::Invalid => "Invalid argument",
        })
    }
}

impl std::error::Error for FsError {}
