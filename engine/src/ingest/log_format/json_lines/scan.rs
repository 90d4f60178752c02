//! The usual form of a JSON line to its keys and values, without copying.
//!
//! Usual is: no escapes, no numbers but plain digits, nothing nested. Everything else is `None`,
//! which says nothing about whether the line is good: `careful` says that.
//!
//! Invariant: what is read here, `careful` reads alike (`scan_equals_careful`).

/// A value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Value<'a> {
    /// A string, number or boolean, as written, without its quotes.
    Text(&'a [u8]),
    /// null.
    Null,
    /// An object begins; [`Scanner::flat`] goes on behind its brace.
    Object,
}

/// A position in a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scanner<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(line: &'a [u8]) -> Self {
        Self { line, at: 0 }
    }

    /// Past an opening brace.
    #[inline]
    pub(super) fn open(&mut self) -> Option<()> {
        self.eat(b'{')
    }

    /// Reads the pairs of the object that was opened, to behind its closing brace.
    ///
    /// `key` reads a key, as [`Scanner::key`] does. `pair` gets the scanner too, so that it can read
    /// a [`Value::Object`]. Either gives `None` for what it does not take.
    #[inline]
    pub(super) fn flat<K>(
        &mut self,
        mut key: impl FnMut(&mut Self) -> Option<K>,
        mut pair: impl FnMut(&mut Self, K, Value<'a>) -> Option<()>,
    ) -> Option<()> {
        if self.eat(b'}').is_some() {
            return Some(());
        }
        loop {
            self.peek()?;
            let key = key(self)?;
            let value = self.value()?;
            pair(self, key, value)?;
            if self.eat(b',').is_none() {
                return self.eat(b'}');
            }
        }
    }

    /// Reads a key and its colon.
    #[inline]
    pub(super) fn key(&mut self) -> Option<&'a [u8]> {
        self.eat(b'"')?;
        let key = self.string()?;
        self.eat(b':')?;
        Some(key)
    }

    /// Passes over `written`, if it comes next.
    #[inline]
    pub(super) fn pass(&mut self, written: &[u8]) -> bool {
        let comes = self
            .line
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(written));
        self.at += if comes { written.len() } else { 0 };
        comes
    }

    /// Whether nothing but spaces follows.
    pub(super) fn is_done(&mut self) -> bool {
        self.peek().is_none()
    }

    /// The next byte that is no space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.line.get(self.at)? {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    #[inline]
    fn eat(&mut self, wanted: u8) -> Option<()> {
        if self.peek()? != wanted {
            return None;
        }
        self.at += 1;
        Some(())
    }

    #[inline]
    fn value(&mut self) -> Option<Value<'a>> {
        let first = self.peek()?;
        match first {
            b'"' => {
                self.at += 1;
                self.string().map(Value::Text)
            }
            b'0'..=b'9' => self.digits().map(Value::Text),
            b'n' => self.word(b"null").map(|_| Value::Null),
            b't' => self.word(b"true").map(Value::Text),
            b'f' => self.word(b"false").map(Value::Text),
            b'{' => {
                self.at += 1;
                Some(Value::Object)
            }
            _ => None,
        }
    }

    /// The string whose opening quote was passed, if it has no escapes.
    #[inline]
    fn string(&mut self) -> Option<&'a [u8]> {
        let rest = self.line.get(self.at..)?;
        let end = string_end(rest)?;
        if rest.get(end) != Some(&b'"') {
            return None;
        }
        self.at += end + 1;
        rest.get(..end)
    }

    /// Digits without a leading zero, not followed by the rest of a larger number.
    fn digits(&mut self) -> Option<&'a [u8]> {
        let rest = self.line.get(self.at..)?;
        let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
        let digits = rest.get(..end)?;
        if matches!(rest.get(end), Some(b'.' | b'e' | b'E')) || matches!(digits, [b'0', _, ..]) {
            return None;
        }
        self.at += end;
        Some(digits)
    }

    /// A literal. What follows it is for the caller, who wants a comma or a brace there.
    fn word(&mut self, word: &'static [u8]) -> Option<&'a [u8]> {
        let found = self.line.get(self.at..self.at + word.len())?;
        if found != word {
            return None;
        }
        self.at += word.len();
        Some(found)
    }
}

/// Every byte 1.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The high bit of every byte.
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The high bit of the first byte that is a quote, a backslash or a control, perhaps of later
/// ones that are not.
#[inline]
const fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    (below(quote, 1) | below(backslash, 1) | below(word, 0x20)) & HIGH
}

/// In its high bit, the first byte that is below `bound`, perhaps later ones that are not.
#[inline]
const fn below(word: u64, bound: u64) -> u64 {
    word.wrapping_sub(ONES * bound) & !word
}

/// Where the first quote, backslash or control is.
#[inline]
fn string_end(text: &[u8]) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let found = special(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    rest.iter().position(ends).map(|end| words.len() * 8 + end)
}

#[cfg(test)]
mod tests {
    use super::super::careful;
    use super::*;
    use proptest::prelude::*;

    fn scan(line: &[u8]) -> Option<Vec<(String, Option<String>)>> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let mut scanner = Scanner::new(line);
        let mut pairs = Vec::new();
        scanner.open()?;
        scanner.flat(Scanner::key, |_, key, value| {
            let value = match value {
                Value::Text(value) => Some(text(value)),
                Value::Null => None,
                Value::Object => return None,
            };
            pairs.push((text(key), value));
            Some(())
        })?;
        scanner.is_done().then_some(pairs)
    }

    #[test]
    fn the_usual_form_is_read() {
        let line = r#"{"a":"x é", "b" : 200,"c":null,"d":true,"e":0,"":"","f":false}"#.as_bytes();
        assert!(scan(line).is_some());
        assert_eq!(scan(line), careful::read(line).ok());
        assert_eq!(scan(b" { } \r"), Some(Vec::new()));
    }

    #[test]
    fn the_unusual_is_left_to_serde() {
        for line in [
            r#"{"a":"\n"}"#,
            r#"{"a":1.5}"#,
            r#"{"a":-1}"#,
            r#"{"a":01}"#,
            r#"{"a":[]}"#,
            r#"{"a":{}}"#,
            r#"{"a":1"#,
            r#"{"a":nul}"#,
            r#"{"a":nullx}"#,
            r#"{"a":1,}"#,
            r#"{"a" 1}"#,
            r#"{a:1}"#,
            "{\"a\":\"\t\"}",
            "",
        ] {
            assert_eq!(scan(line.as_bytes()), None, "{line}");
        }
    }

    fn piece() -> impl Strategy<Value = &'static str> {
        proptest::sample::select(vec![
            "{",
            "}",
            "\"a\"",
            "\"bb\"",
            ":",
            ",",
            "1",
            "0",
            "007",
            "1.5",
            "-3",
            "1e5",
            "null",
            "true",
            "false",
            "\"\"",
            "\"é\"",
            "\"\\n\"",
            "\"\\u0041\"",
            "\"x",
            "[",
            "]",
            " ",
            "\t",
            "\r",
            "\"a\":1",
            "\"c\":\"d\",",
            "\"long enough to fill a word\"",
            "\u{1}",
            "\u{7f}",
        ])
    }

    proptest! {
        #[test]
        fn scan_equals_careful(pieces in proptest::collection::vec(piece(), 0..12)) {
            let line = format!("{{{}}}", pieces.concat());
            if let Some(pairs) = scan(line.as_bytes()) {
                let mut keys: Vec<_> = pairs.iter().map(|(key, _)| key).collect();
                keys.sort();
                keys.dedup();
                // Telling duplicates is for the caller.
                if keys.len() == pairs.len() {
                    prop_assert_eq!(Ok(pairs), careful::read(line.as_bytes()));
                }
            }
        }

        #[test]
        fn string_end_equals_a_byte_loop(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let want = text.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            prop_assert_eq!(string_end(&text), want);
        }
    }
}
