//! The text that lists the migrations, and how one is entered in it.

use std::ops::Range;

/// `m20261120_090000_create_events` and its like.
pub(super) fn is_migration(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() > 17
        && bytes.iter().take(17).enumerate().all(|(position, byte)| match position {
            0 => *byte == b'm',
            9 | 16 => *byte == b'_',
            _ => byte.is_ascii_digit(),
        })
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// The migrations that have a `mod` line.
pub(super) fn modules(text: &str) -> Vec<String> {
    mod_lines(&blanked(text)).into_iter().map(|(_, _, name)| name).collect()
}

/// `text` with the module and the entry in it, or what it lacks.
pub(super) fn enter(text: &str, module: &str, function: &str, entry: &str) -> Result<String, String> {
    let code = blanked(text);
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let vector = vector(&code, function)
        .ok_or_else(|| format!("`fn {function}()` with the migrations in one `vec![…]`"))?;
    let vector_edit = entered(text, &code, vector, entry, newline);
    let (at, line) = mod_edit(text, &code, module, newline);
    if at > vector_edit.0.start {
        return Err(format!("the `mod` lines before `fn {function}()`"));
    }
    let (span, entries) = vector_edit;
    Ok([&text[..at], &line, &text[at..span.start], &entries, &text[span.end..]].concat())
}

/// Every `mod` line of a migration: its span with the end of the line, what stands before the name, the name.
fn mod_lines(code: &str) -> Vec<(Range<usize>, String, String)> {
    let mut start = 0;
    let mut found = Vec::new();
    for line in code.split_inclusive('\n') {
        let span = start..start + line.len();
        start = span.end;
        let Some((before, name)) = line.trim_end().strip_suffix(';').and_then(|line| line.split_once("mod "))
        else {
            continue;
        };
        let visibility = before.trim();
        if (visibility.is_empty() || visibility.starts_with("pub")) && is_migration(name) {
            found.push((span, before.to_owned(), name.to_owned()));
        }
    }
    found
}

/// Where the `mod` line goes, and the text to insert there: behind the last of its kind, else behind the last
/// `use`, else behind what heads the file.
fn mod_edit(text: &str, code: &str, module: &str, newline: &str) -> (usize, String) {
    if let Some((span, before, _)) = mod_lines(code).pop() {
        let line = format!("{before}mod {module};");
        return if code[..span.end].ends_with('\n') {
            (span.end, format!("{line}{newline}"))
        } else {
            (span.end, format!("{newline}{line}"))
        };
    }
    let (mut start, mut end, mut heads) = (0, 0, true);
    for line in code.split_inclusive('\n') {
        let after = start + line.len();
        if line.starts_with("use ") || line.starts_with("pub use ") {
            end = code[start..].find(';').map_or(after, |semicolon| start + semicolon + 1);
            end += code[end..].find('\n').map_or(code.len() - end, |rest| rest + 1);
            heads = false;
        } else if heads && is_head(&text[start..after], line) {
            end = after;
        } else {
            heads = false;
        }
        start = after;
    }
    let is_blank_after = text[end..].lines().next().is_none_or(|line| line.trim().is_empty());
    let is_blank_before = end == 0 || text[..end].ends_with(&newline.repeat(2));
    let before = if is_blank_before { "" } else { newline };
    let after = if is_blank_after { "" } else { newline };
    (end, format!("{before}mod {module};{newline}{after}"))
}

/// Whether a line stands before every item and belongs to none: an inner attribute, or a comment but no
/// documentation of an item.
fn is_head(line: &str, code: &str) -> bool {
    let is_blank = code.trim().is_empty();
    line.starts_with("#![") || (is_blank && !line.starts_with("///") && !line.starts_with("/**"))
}

/// The inside of the brackets of the first `vec![…]` of `fn function`.
fn vector(code: &str, function: &str) -> Option<Range<usize>> {
    let head = format!("fn {function}(");
    let after = code.find(&head)? + head.len();
    let body = after + code[after..].find('{')?;
    let body_end = closing(code, body)?;
    let open = body + code[body..body_end].find("vec![")? + "vec!".len();
    Some(open + 1..closing(code, open)?)
}

/// Where the bracket that opens at `open` is closed.
fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (position, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(position);
                }
            }
            _ => {}
        }
    }
    None
}

/// What to put in place of which part of the vector's inside.
fn entered(
    text: &str,
    code: &str,
    inside: Range<usize>,
    entry: &str,
    newline: &str,
) -> (Range<usize>, String) {
    let (old, old_code) = (&text[inside.clone()], &code[inside.clone()]);
    let line_start = code[..inside.start].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[line_start..];
    let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
    let deeper = format!("{indent}    ");
    if old.trim().is_empty() && !old.contains('\n') && entry.len() <= 60 {
        return (inside, entry.to_owned());
    }
    let last = old_code.trim_end();
    let comma = if last.is_empty() || last.ends_with(',') { "" } else { "," };
    // The closing bracket stands alone on its line: the entry takes a line before it.
    if let Some(last_line) = old.rfind('\n').filter(|newline| old[newline + 1..].trim().is_empty()) {
        let last_entry = last.rfind('\n').map_or("", |newline| &old[newline + 1..]);
        let spaces = last_entry.len() - last_entry.trim_start_matches([' ', '\t']).len();
        let deeper = if spaces == 0 { &deeper } else { &last_entry[..spaces] };
        let begin = inside.start + last.len();
        let end = inside.start + last_line + 1;
        return (begin..end, format!("{comma}{}{deeper}{entry},{newline}", &text[begin..end]));
    }
    if old.contains('\n') || old != old_code {
        let end = inside.start + last.len();
        let behind = if comma.is_empty() { " " } else { ", " };
        return (end..end, format!("{behind}{entry}"));
    }
    let mut lines = String::new();
    for entry in elements(old_code).into_iter().chain([entry]) {
        lines.extend([newline, &deeper, entry, ","]);
    }
    lines.extend([newline, indent]);
    (inside, lines)
}

/// What the commas of a vector part, those in brackets aside.
fn elements(inside: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    let parts = inside.split(|letter| {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// `text` with comments and literals turned to blanks, of the same length and with the same lines.
fn blanked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = at + blank_len(&text[at..], at.checked_sub(1).map(|before| bytes[before]));
        for byte in &mut code[at..end] {
            if !matches!(*byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
    String::from_utf8(code).unwrap_or_else(|_| text.to_owned())
}

/// How long the comment or literal is that `rest` begins with; 0 where it begins with code.
fn blank_len(rest: &str, before: Option<u8>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment_len(rest);
    }
    if rest.starts_with('"') {
        return string_len(rest, '"');
    }
    let in_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if let Some(raw) = rest.strip_prefix('r').filter(|_| !in_word || before == Some(b'b')) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let opened = 1 + hashes + 1;
            return rest[opened..].find(&end).map_or(rest.len(), |found| opened + found + end.len());
        }
    }
    // 'a' and '\n' are letters, 'a without another quote is a lifetime.
    let mut letters = rest.strip_prefix('\'').unwrap_or("").chars();
    match (letters.next(), letters.next()) {
        (Some('\\'), _) => string_len(rest, '\''),
        (Some(letter), Some('\'')) => letter.len_utf8() + 2,
        _ => 0,
    }
}

fn block_comment_len(rest: &str) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    while at < rest.len() {
        match rest.as_bytes().get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn string_len(rest: &str, quote: char) -> usize {
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            letter if letter == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}
