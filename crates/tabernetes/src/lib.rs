//! tabernetes
