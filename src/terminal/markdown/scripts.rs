//! Scripts without spaces between words.

/// Whether a line may break before and after a character: those of Chinese and Japanese, with their punctuation.
pub(super) fn is_cjk(c: char) -> bool {
    matches!(c,
        '\u{2e80}'..='\u{312f}' | '\u{3190}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}' | '\u{ff01}'..='\u{ff60}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether a line may break between two characters beside each other. No line begins with a closing bracket, a full stop
/// or a small kana, and none ends with an opening bracket:
/// <https://www.w3.org/TR/jlreq/#characters_not_starting_a_line>.
pub(super) fn may_break(before: char, after: char) -> bool {
    (is_cjk(before) || is_cjk(after)) && !is_closing(after) && !is_opening(before)
}

fn is_opening(c: char) -> bool {
    matches!(c, '(' | '[' | '{' | '"' | '\'' | '「' | '『' | '（' | '［' | '｛' | '〈' | '《' | '【' | '〔' | '“' | '‘')
}

fn is_closing(c: char) -> bool {
    matches!(c, ')' | ']' | '}' | '"' | '\'' | ',' | '.' | ':' | ';' | '!' | '?' | '%')
        || matches!(c, '」' | '』' | '）' | '］' | '｝' | '〉' | '》' | '】' | '〕' | '”' | '’')
        || matches!(c, '、' | '。' | '，' | '．' | '：' | '；' | '！' | '？' | '・' | 'ー' | '々' | '…' | '～')
        || matches!(c, 'ぁ' | 'ぃ' | 'ぅ' | 'ぇ' | 'ぉ' | 'っ' | 'ゃ' | 'ゅ' | 'ょ' | 'ゎ')
        || matches!(c, 'ァ' | 'ィ' | 'ゥ' | 'ェ' | 'ォ' | 'ッ' | 'ャ' | 'ュ' | 'ョ' | 'ヮ')
}
