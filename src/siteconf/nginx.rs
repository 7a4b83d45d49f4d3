//! Reads nginx configuration text: directives with the place of every argument, and what a site file means.

pub use crate::api::answer::site_config::NginxSite as Site;
use std::ops::Range;

/// An argument with its extent in the text, quotes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The value after quotes and escapes.
    pub text: String,
    /// Bytes it covers.
    pub extent: Range<usize>,
}

/// One directive, simple or opening a block.
#[derive(Debug, Clone)]
pub struct Directive {
    /// Its name.
    pub name: String,
    /// What follows the name.
    pub arguments: Vec<Argument>,
    /// Index of the directive whose block it stands in.
    pub parent: Option<usize>,
    /// Line of its name, from 1.
    pub line: usize,
}

impl Directive {
    /// The first argument, or an empty text.
    pub fn first(&self) -> &str {
        self.arguments.first().map_or("", |argument| argument.text.as_str())
    }
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
}

enum Token {
    Word(Argument),
    End,
    Open,
    Close,
}

impl Lexer<'_> {
    fn bump(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        self.line += usize::from(byte == b'\n');
        Some(byte)
    }

    fn next(&mut self) -> Result<Option<Token>, String> {
        loop {
            match self.text.get(self.at) {
                None => return Ok(None),
                Some(b' ' | b'\t' | b'\r' | b'\n') => drop(self.bump()),
                Some(b'#') => while !matches!(self.bump(), None | Some(b'\n')) {},
                Some(b';') => return Ok(self.bump().map(|_| Token::End)),
                Some(b'{') => return Ok(self.bump().map(|_| Token::Open)),
                Some(b'}') => return Ok(self.bump().map(|_| Token::Close)),
                Some(quote @ (b'"' | b'\'')) => return self.quoted(*quote).map(Some),
                Some(_) => return self.bare().map(Some),
            }
        }
    }

    fn escape(&mut self, value: &mut Vec<u8>) -> Result<(), String> {
        let line = self.line;
        match self.bump().ok_or_else(|| format!("line {line}: ends in an escape"))? {
            byte @ (b'"' | b'\'' | b'\\') => value.push(byte),
            b't' => value.push(b'\t'),
            b'r' => value.push(b'\r'),
            b'n' => value.push(b'\n'),
            other => value.extend([b'\\', other]),
        }
        Ok(())
    }

    fn quoted(&mut self, quote: u8) -> Result<Token, String> {
        let (start, line) = (self.at, self.line);
        self.bump();
        let mut value = Vec::new();
        loop {
            match self.bump() {
                None => return Err(format!("line {line}: quote without an end")),
                Some(b'\\') => self.escape(&mut value)?,
                Some(byte) if byte == quote => break,
                Some(byte) => value.push(byte),
            }
        }
        match self.text.get(self.at) {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b')') => {}
            Some(_) => return Err(format!("line {}: text after a closing quote", self.line)),
        }
        Ok(self.word(value, start))
    }

    fn bare(&mut self) -> Result<Token, String> {
        let start = self.at;
        let mut value = Vec::new();
        let mut after_dollar = false;
        while let Some(byte) = self.text.get(self.at).copied() {
            match byte {
                // As nginx reads it: `${` opens no block, nor does a brace after it.
                b'{' if after_dollar => {
                    value.push(byte);
                    self.bump();
                    continue;
                }
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' => break,
                b'\\' => {
                    self.bump();
                    self.escape(&mut value)?;
                    after_dollar = false;
                    continue;
                }
                _ => {}
            }
            after_dollar = byte == b'$';
            value.push(byte);
            self.bump();
        }
        Ok(self.word(value, start))
    }

    fn word(&self, value: Vec<u8>, start: usize) -> Token {
        Token::Word(Argument { text: String::from_utf8_lossy(&value).into_owned(), extent: start..self.at })
    }

    /// Passes over the body of a Lua block, whose text is not nginx's. Braces are counted.
    fn skip_foreign(&mut self) -> Result<(), String> {
        let line = self.line;
        let mut depth = 1;
        while depth > 0 {
            match self.bump() {
                None => return Err(format!("line {line}: block without an end")),
                Some(b'{') => depth += 1,
                Some(b'}') => depth -= 1,
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// Reads configuration text into its directives, in the order of the text.
///
/// # Errors
/// A sentence naming the line where the text stops making sense.
pub fn parse(text: &[u8]) -> Result<Vec<Directive>, String> {
    let mut lexer = Lexer { text, at: 0, line: 1 };
    let mut directives: Vec<Directive> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut words: Vec<Argument> = Vec::new();
    let mut first_line = 1;
    loop {
        let token = lexer.next()?;
        let ends = matches!(token, Some(Token::End | Token::Open));
        match token {
            Some(Token::Word(word)) => {
                if words.is_empty() {
                    first_line = lexer.line;
                }
                words.push(word);
                continue;
            }
            Some(Token::End | Token::Open) if words.is_empty() => {
                return Err(format!("line {}: `;` or `{{` without a directive", lexer.line));
            }
            Some(Token::Close) if !words.is_empty() => {
                return Err(format!("line {first_line}: {:?} is not ended by `;`", words[0].text));
            }
            Some(Token::Close) => {
                open.pop().ok_or_else(|| format!("line {}: `}}` without a block", lexer.line))?;
                continue;
            }
            None if !words.is_empty() => {
                return Err(format!("line {first_line}: {:?} is not ended by `;`", words[0].text));
            }
            None if !open.is_empty() => {
                return Err(format!("block {:?} has no end", directives[open[open.len() - 1]].name));
            }
            None => return Ok(directives),
            Some(_) => {}
        }
        if ends {
            let mut words = std::mem::take(&mut words);
            let name = words.remove(0);
            let foreign = name.text.ends_with("_by_lua_block");
            directives.push(Directive {
                name: name.text,
                arguments: words,
                parent: open.last().copied(),
                line: first_line,
            });
            if text.get(lexer.at.wrapping_sub(1)) == Some(&b'{') {
                if foreign {
                    lexer.skip_foreign()?;
                } else {
                    open.push(directives.len() - 1);
                }
            }
            if open.len() > 64 {
                return Err(format!("line {first_line}: blocks nested deeper than 64"));
            }
        }
    }
}

/// Summarises a site file.
///
/// # Errors
/// As [`parse`].
pub fn read_site(text: &[u8]) -> Result<Site, String> {
    let mut site = Site::default();
    for directive in parse(text)? {
        let into = match directive.name.as_str() {
            "server_name" => {
                for argument in &directive.arguments {
                    add(&mut site.server_names, &argument.text);
                }
                continue;
            }
            "listen" => &mut site.listen,
            "root" => &mut site.roots,
            "fastcgi_pass" => &mut site.fastcgi,
            "ssl_certificate" => &mut site.certificates,
            _ => continue,
        };
        add(into, directive.first());
    }
    Ok(site)
}

fn add(list: &mut Vec<String>, value: &str) {
    if !value.is_empty() && !list.iter().any(|known| known == value) {
        list.push(value.to_owned());
    }
}

/// The names of a server, by its place among the directives.
pub fn server_names(all: &[Directive], server: usize) -> impl Iterator<Item = &str> {
    let names = all.iter().filter(move |directive| directive.parent == Some(server) && directive.name == "server_name");
    names.flat_map(|directive| directive.arguments.iter().map(|argument| argument.text.as_str()))
}

/// Whether a server name of nginx covers a domain. `None` for regular expressions and the catch-all, which are not judged.
pub fn covers(server_name: &str, domain: &str) -> Option<bool> {
    let name = server_name.to_ascii_lowercase();
    if name.is_empty() || name == "_" || name.starts_with('~') {
        return None;
    }
    if let Some(tail) = name.strip_prefix("*.") {
        return Some(domain.strip_suffix(tail).is_some_and(|head| head.len() > 1 && head.ends_with('.')));
    }
    if let Some(tail) = name.strip_prefix('.') {
        return Some(domain == tail || domain.strip_suffix(tail).is_some_and(|head| head.ends_with('.')));
    }
    if let Some(head) = name.strip_suffix(".*") {
        return Some(domain.strip_prefix(head).is_some_and(|tail| tail.starts_with('.')));
    }
    Some(name == domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = r#"
# a comment { ; }
server {
    listen 80; listen [::]:80;
    server_name example.com "www.example.com";
    root /var/www/example.com;
    location ~ \.php$ { fastcgi_pass unix:/run/php/x.sock; set $a "${b}c;{"; }
    return 301 https://${host}$request_uri;
}
"#;

    #[test]
    fn a_site_is_read_with_its_blocks_quotes_and_lines() {
        let directives = parse(SITE.as_bytes()).unwrap();
        let pass = directives.iter().find(|directive| directive.name == "fastcgi_pass").unwrap();
        assert_eq!(pass.first(), "unix:/run/php/x.sock");
        assert_eq!(pass.line, 7);
        let location = &directives[pass.parent.unwrap()];
        assert_eq!(location.arguments[1].text, "\\.php$");
        assert_eq!(directives[location.parent.unwrap()].name, "server");
        assert_eq!(&SITE[pass.arguments[0].extent.clone()], "unix:/run/php/x.sock");
        let site = read_site(SITE.as_bytes()).unwrap();
        assert_eq!(site.server_names, ["example.com", "www.example.com"]);
        assert_eq!(site.listen, ["80", "[::]:80"]);
        assert_eq!(site.roots, ["/var/www/example.com"]);
    }

    #[test]
    fn broken_text_is_refused_with_its_line() {
        for (bad, line) in [
            ("server {\n listen 80\n}", "line 2"),
            ("server {", "server"),
            ("a \"b;", "line 1"),
            ("}\n", "line 1"),
            (";", "line 1"),
            ("a \"b\"c;", "line 1"),
            ("a", "line 1"),
        ] {
            let said = parse(bad.as_bytes()).unwrap_err();
            assert!(said.contains(line), "{bad:?}: {said}");
        }
    }

    #[test]
    fn a_brace_of_a_variable_opens_no_block() {
        let directives = parse(b"set $a ${{; root /x;").unwrap();
        assert_eq!(directives[0].arguments[1].text, "${{");
        assert_eq!((directives[1].name.as_str(), directives[1].parent), ("root", None));
    }

    #[test]
    fn a_lua_block_is_passed_over() {
        let directives = parse(b"content_by_lua_block { if a then b = { 1; } end }\nroot /x;").unwrap();
        assert_eq!(directives[1].name, "root");
    }

    #[test]
    fn server_names_cover_domains_as_nginx_reads_them() {
        for (name, domain, covered) in [
            ("example.com", "example.com", Some(true)),
            ("Example.com", "example.com", Some(true)),
            ("www.example.com", "example.com", Some(false)),
            ("*.example.com", "shop.example.com", Some(true)),
            ("*.example.com", "example.com", Some(false)),
            ("*.example.com", "badexample.com", Some(false)),
            (".example.com", "example.com", Some(true)),
            (".example.com", "badexample.com", Some(false)),
            ("example.*", "example.com", Some(true)),
            ("_", "example.com", None),
            ("~^ex", "example.com", None),
        ] {
            assert_eq!(covers(name, domain), covered, "{name} {domain}");
        }
    }
}
