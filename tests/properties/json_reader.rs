//! A second reader of JSON (RFC 8259), written for this comparison alone and slow: it shares no line with the filter's.

/// The deepest nesting that the filter reads.
const MAX_DEPTH: usize = 32;

/// What there is of a value to compare.
pub enum Seen {
    Text(String),
    Other,
}

/// The members of the one object that the text is, or `None` if it is none, or not as strict as the filter has
/// it: UTF-8, whole surrogate pairs, numbers that `f64` can hold, 32 levels, no name twice in the object itself and in `cnf`.
pub fn object(bytes: &[u8]) -> Option<Vec<(String, Seen)>> {
    let mut reader = Reader { text: std::str::from_utf8(bytes).ok()?.chars().collect(), position: 0 };
    let members = reader.whole_object()?;
    (reader.position == reader.text.len()).then_some(members)
}

struct Reader {
    text: Vec<char>,
    position: usize,
}

impl Reader {
    fn whole_object(&mut self) -> Option<Vec<(String, Seen)>> {
        self.blanks();
        if self.peek()? != '{' {
            return None;
        }
        let members = self.object(1, true)?;
        self.blanks();
        Some(members)
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.position).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.position += 1;
        Some(next)
    }

    fn takes(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.position += usize::from(found);
        found
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.position += 1;
        }
    }

    fn value(&mut self, depth: usize, unique: bool) -> Option<Seen> {
        self.blanks();
        let value = match self.peek()? {
            '{' => self.object(depth + 1, unique).map(|_| Seen::Other),
            '[' => self.array(depth + 1, unique).map(|()| Seen::Other),
            '"' => self.string().map(Seen::Text),
            't' => self.word("true").map(|()| Seen::Other),
            'f' => self.word("false").map(|()| Seen::Other),
            'n' => self.word("null").map(|()| Seen::Other),
            _ => self.number().map(|()| Seen::Other),
        };
        self.blanks();
        value
    }

    fn object(&mut self, depth: usize, unique: bool) -> Option<Vec<(String, Seen)>> {
        if depth > MAX_DEPTH || !self.takes('{') {
            return None;
        }
        let mut members: Vec<(String, Seen)> = Vec::new();
        self.blanks();
        if self.takes('}') {
            return Some(members);
        }
        loop {
            self.blanks();
            let name = self.string()?;
            if unique && members.iter().any(|(known, _)| *known == name) {
                return None;
            }
            self.blanks();
            if !self.takes(':') {
                return None;
            }
            let within = if depth == 1 { name == "cnf" } else { unique };
            let value = self.value(depth, within)?;
            members.push((name, value));
            if self.takes('}') {
                return Some(members);
            }
            if !self.takes(',') {
                return None;
            }
        }
    }

    fn array(&mut self, depth: usize, unique: bool) -> Option<()> {
        if depth > MAX_DEPTH || !self.takes('[') {
            return None;
        }
        self.blanks();
        if self.takes(']') {
            return Some(());
        }
        loop {
            self.value(depth, unique)?;
            if self.takes(']') {
                return Some(());
            }
            if !self.takes(',') {
                return None;
            }
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        word.chars().all(|letter| self.takes(letter)).then_some(())
    }

    fn string(&mut self) -> Option<String> {
        if !self.takes('"') {
            return None;
        }
        let mut units: Vec<u16> = Vec::new();
        loop {
            match self.next()? {
                '"' => return String::from_utf16(&units).ok(),
                '\\' => units.push(self.escape()?),
                control if control < ' ' => return None,
                other => units.extend(other.encode_utf16(&mut [0; 2]).iter()),
            }
        }
    }

    fn escape(&mut self) -> Option<u16> {
        Some(match self.next()? {
            'b' => 8,
            't' => 9,
            'n' => 10,
            'f' => 12,
            'r' => 13,
            same @ ('"' | '\\' | '/') => u16::try_from(u32::from(same)).ok()?,
            'u' => {
                let mut unit = 0;
                for _ in 0..4 {
                    unit = unit * 16 + u16::try_from(self.next()?.to_digit(16)?).ok()?;
                }
                unit
            }
            _ => return None,
        })
    }

    fn digits(&mut self) -> Option<()> {
        let begin = self.position;
        while self.peek().is_some_and(|digit| digit.is_ascii_digit()) {
            self.position += 1;
        }
        (self.position > begin).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let begin = self.position;
        self.takes('-');
        if !self.takes('0') {
            self.digits()?;
        }
        if self.takes('.') {
            self.digits()?;
        }
        if self.takes('e') || self.takes('E') {
            let _ = self.takes('+') || self.takes('-');
            self.digits()?;
        }
        let text: String = self.text[begin..self.position].iter().collect();
        text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|_| ())
    }
}
