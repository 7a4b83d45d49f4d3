//! Names the shared library for the loader: programs link against `librocketvps_restore.so.1`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,librocketvps_restore.so.1");
}
