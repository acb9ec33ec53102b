//! The call into ClickHouse's library, and the only unsafe code of the workspace.
#![expect(unsafe_code, reason = "libchdb.so has a C interface only")]

use std::ffi::{CStr, CString, OsString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use libloading::Library;

use crate::error::{Error, Result};

/// `chdb_result *chdb_query_cmdline(int argc, char **argv)`
type QueryCmdline = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void;
/// `const char *chdb_result_error(chdb_result *result)`; null if there is none.
type ResultError = unsafe extern "C" fn(*mut c_void) -> *const c_char;

/// Runs `clickhouse local` with `arguments` (the first is the program's name) inside this process
/// until it is done.
///
/// # Errors
///
/// [`Error::ClickHouse`] if the library cannot be loaded or reports an error.
pub(crate) fn run(library: &Path, arguments: &[OsString]) -> Result<()> {
    let unusable =
        |error: libloading::Error| failed(format!("cannot be loaded from {}: {error}", library.display()));
    let mut owned = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let argument = CString::new(argument.clone().into_vec()).map_err(|_| {
            failed(format!("cannot take the argument {}: it holds a NUL", argument.display()))
        })?;
        owned.push(argument.into_raw());
    }
    let count = c_int::try_from(owned.len()).map_err(|_| failed("cannot take that many arguments".into()))?;
    owned.push(std::ptr::null_mut());

    // SAFETY: opening a library runs its initialisers. The file is the one that this crate
    // installed after checking its SHA-512, and no other thread of this process touches the
    // environment or anything else that they might set up.
    let library = unsafe { Library::new(library) }.map_err(unusable)?;
    // SAFETY: both names have these signatures in the chdb.h of the pinned release.
    let (query, error_of) = unsafe {
        let query = library.get::<QueryCmdline>(c"chdb_query_cmdline").map_err(unusable)?;
        let error_of = library.get::<ResultError>(c"chdb_result_error").map_err(unusable)?;
        (query, error_of)
    };
    // SAFETY: `owned` holds `count` pointers to NUL-terminated strings of our own that are never
    // freed, so that the library may keep or change them, and a null after them, as `main` is given.
    let result = unsafe { query(count, owned.as_mut_ptr()) };
    if result.is_null() {
        return Err(failed("ended without a result".into()));
    }
    // SAFETY: `result` came from `query` and is not freed; the process is about to end.
    let error = unsafe { error_of(result) };
    // The library's threads may still run its code, so it stays where it is until the process ends.
    std::mem::forget(library);
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: a message that is not null is a NUL-terminated string that lives as long as `result`.
    let error = unsafe { CStr::from_ptr(error) }.to_string_lossy();
    // What follows is addresses inside the library.
    let message = error.split(", Stack trace").next().unwrap_or_default();
    Err(failed(format!("stopped: {message}")))
}

const fn failed(detail: String) -> Error {
    Error::ClickHouse { detail }
}
