//! Formats that are not read, by their first bytes: whoever has such a file under the name of an archive should learn what
//! it is, and not that a good backup is damaged.

use super::Codec;
use crate::error::{Code, Error};

struct Format {
    /// What the file begins with.
    mark: &'static [u8],
    /// With its article.
    name: &'static str,
    /// The command that unpacks it to its output; empty where none does.
    unpack: &'static str,
}

/// From the formats' own specifications, as file(1) has them.
const FORMATS: &[Format] = &[
    Format { mark: b"LZIP", name: "an lzip file", unpack: "lzip -dc" },
    Format { mark: b"\x1f\x9d", name: "a file of compress", unpack: "gzip -dc" },
    Format { mark: b"PK\x03\x04", name: "a zip archive", unpack: "" },
    Format { mark: b"7z\xbc\xaf\x27\x1c", name: "a 7-Zip archive", unpack: "" },
    Format { mark: b"Rar!\x1a\x07", name: "a RAR archive", unpack: "" },
    Format { mark: b"<A><V>", name: "an archive of Duplicator's own (.daf)", unpack: "" },
    Format { mark: b"JPA", name: "an archive of Akeeba (.jpa)", unpack: "" },
    Format { mark: b"JPS", name: "an encrypted archive of Akeeba (.jps)", unpack: "" },
];

/// A file that a program encrypted.
struct Cipher {
    /// What the file begins with.
    mark: &'static [u8],
    /// At which places of it any byte may be: a length.
    any: &'static [usize],
    /// Whose it is.
    program: &'static str,
}

/// From RFC 9580 (a message begins with the packet of a session key, by a passphrase or for a key, in the old form of a packet or in the new
/// one), age's specification, and openssl-enc(1).
const CIPHERS: &[Cipher] = &[
    Cipher { mark: b"-----BEGIN PGP MESSAGE", any: &[], program: "GnuPG" },
    Cipher { mark: b"\x8c\0\x04", any: &[1], program: "GnuPG" },
    Cipher { mark: b"\xc3\0\x04", any: &[1], program: "GnuPG" },
    Cipher { mark: b"\x84\0\x03", any: &[1], program: "GnuPG" },
    Cipher { mark: b"\x85\0\0\x03", any: &[1, 2], program: "GnuPG" },
    Cipher { mark: b"\xc1\0\x03", any: &[1], program: "GnuPG" },
    Cipher { mark: b"\xc1\0\0\x03", any: &[1, 2], program: "GnuPG" },
    Cipher { mark: b"age-encryption.org/v", any: &[], program: "age" },
    Cipher { mark: b"-----BEGIN AGE ENCRYPTED", any: &[], program: "age" },
    Cipher { mark: b"Salted__", any: &[], program: "OpenSSL" },
];

impl Cipher {
    fn fits(&self, start: &[u8]) -> bool {
        let mut pairs = self.mark.iter().zip(start).enumerate();
        start.len() >= self.mark.len() && pairs.all(|(at, (mark, byte))| mark == byte || self.any.contains(&at))
    }

    /// The command that makes the plain file.
    fn decrypt(&self) -> &'static str {
        match self.program {
            "age" => "age -d -i KEY FILE > NEW",
            "OpenSSL" => "openssl enc -d -CIPHER -pbkdf2 -in FILE -out NEW",
            _ => "gpg -d FILE > NEW",
        }
    }
}
/// A page of a web server that was saved in place of the file.
const PAGES: &[&[u8]] = &[b"<!doctype", b"<html", b"<?xml"];

/// The error of a file that begins like this, where that tells another format. `wanted` with its article. What is read in any of the
/// compressions that are known comes here without it.
pub fn refused(start: &[u8], wanted: &str) -> Option<Error> {
    let inner = Codec::of(start);
    if inner != Codec::None {
        let message = format!("it is compressed twice, the inner time by {}", inner.name());
        return Some(
            Error::new(Code::BackupUnreadable, message)
                .hint("Nothing is wrong with it. Unpack it once, and name what comes of it."),
        );
    }
    if let Some(format) = FORMATS.iter().find(|format| start.starts_with(format.mark)) {
        let name = format.name;
        let hint = match format.unpack {
            "" => format!("Unpack it, and name the folder or pack what it holds anew as {wanted}."),
            unpack => format!("Nothing is wrong with it. Convert it: `{unpack} FILE | gzip > NEW`."),
        };
        return Some(Error::new(Code::BackupUnreadable, format!("it is {name}, not {wanted}")).hint(hint));
    }
    if let Some(cipher) = CIPHERS.iter().find(|cipher| cipher.fits(start)) {
        return Some(
            Error::new(Code::BackupUnreadable, format!("it is encrypted by {}", cipher.program))
                .hint(format!("Decrypt it, and name what comes of it: `{}`.", cipher.decrypt())),
        );
    }
    let text = start.trim_ascii_start().to_ascii_lowercase();
    PAGES.iter().any(|page| text.starts_with(page)).then(|| {
        Error::new(Code::BackupUnreadable, format!("it is a page of HTML or XML, not {wanted}"))
            .hint("Fetch the backup again: a web server answered with a page in its place.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_named_with_the_way_to_convert_it() {
        let lzip = refused(b"LZIP\x01", "a tar archive").unwrap();
        assert_eq!(lzip.message, "it is an lzip file, not a tar archive");
        assert!(lzip.hint.contains("`lzip -dc FILE | gzip > NEW`"), "{}", lzip.hint);
        let twice = refused(b"\x28\xb5\x2f\xfd\x04\0", "a tar archive").unwrap();
        assert_eq!(twice.message, "it is compressed twice, the inner time by zstd");
        let twice = refused(&super::super::lz4::MAGIC, "a tar archive").unwrap();
        assert_eq!(twice.message, "it is compressed twice, the inner time by lz4");
        let encrypted: [(&[u8], &str); 8] = [
            (b"Salted__\x01\x02", "OpenSSL"),
            (b"age-encryption.org/v1\n", "age"),
            (b"-----BEGIN AGE ENCRYPTED FILE-----", "age"),
            (b"-----BEGIN PGP MESSAGE-----", "GnuPG"),
            (b"\x8c\x0d\x04\x09\x03\x02", "GnuPG"),
            (b"\x85\x01\x8c\x03", "GnuPG"),
            (b"\x84\x5e\x03", "GnuPG"),
            (b"\xc1\xc0\x4c\x03", "GnuPG"),
        ];
        for (start, program) in encrypted {
            let refused = refused(start, "a tar archive").unwrap();
            assert_eq!(refused.message, format!("it is encrypted by {program}"));
            assert!(refused.hint.contains("FILE"), "{}", refused.hint);
        }
        let page = refused(b"  <!DOCTYPE html>", "a tar archive").unwrap();
        assert!(page.message.contains("HTML"), "{}", page.message);
        for other in [&b""[..], b"./www/\0\0", b"-- MariaDB dump ", b"PK"] {
            assert!(refused(other, "a tar archive").is_none(), "{other:?}");
        }
    }
}
