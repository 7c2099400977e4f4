//! What is shown of a text, case by case.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
use super::*;

mod properties;

const PLAIN: Abilities = Abilities { styles: false, links: false };

/// What is shown of a text on a screen of this width, without styles.
fn shown(text: &str, width: usize) -> String {
    rendered(text, width, PLAIN)
}

fn rendered(text: &str, width: usize, abilities: Abilities) -> String {
    let mut markdown = Markdown::new(width, abilities);
    let mut shown = markdown.add(&Printable::lines(text));
    shown.push(markdown.finish());
    shown.as_str().to_owned()
}

#[test]
fn inline_markup_is_gone_and_what_only_looks_like_it_is_there() {
    for (text, expected) in [
        ("**bold** and *italic* and ~~gone~~ and `code`", "bold and italic and gone and code"),
        ("***both*** **a *b* c** __D__ _e_", "both a b c D e"),
        ("snake_case_names, __init__ and __my_name__. stay", "snake_case_names, __init__ and __my_name__. stay"),
        ("__Bold__, __two words__, _italic_ and __a__b__", "Bold, two words, italic and __a__b__"),
        ("2 * 3 * 4, 2*3*4, a*b, 2**3 and *args, **kwargs", "2 * 3 * 4, 2*3*4, a*b, 2**3 and *args, **kwargs"),
        (r"\*not\* \_this\_ C:\dir\file \\", r"*not* _this_ C:\dir\file \"),
        ("<html> <T> Vec<u8> a < b > c </p>", "<html> <T> Vec<u8> a < b > c </p>"),
        ("AT&amp;T &lt;b&gt; &#39; &#x2014; &nope; &#27; &", "AT&T <b> ' — &nope; &#27; &"),
        ("**open", "**open"),
        ("*open `too", "*open `too"),
        ("`` a`b `` ```` c", "a`b ```` c"),
        ("[text](https://a.b) [x] a[0] [y](z w) [", "text (https://a.b) [x] a[0] [y](z w) ["),
        ("[a](<b c> \"t\") ![alt](i.png) [![i](j)](k)", "a (b c) alt (i.png) i (j) (k)"),
        (
            "[https://a.b](https://a.b) <https://c.d> https://e.f/g_h_i*j*.",
            "https://a.b https://c.d https://e.f/g_h_i*j*.",
        ),
        ("(see https://a.b/c_(d)) **https://a.b**", "(see https://a.b/c_(d)) https://a.b"),
        ("[**b** `c`](d)", "b c (d)"),
        (
            r"\(a_1 * b_2\) $x^*$ and $y^*$, $$a*b*c$$, $5 and $10",
            r"\(a_1 * b_2\) $x^*$ and $y^*$, $$a*b*c$$, $5 and $10",
        ),
        ("~5 minutes ~ 6 ~~~", "~5 minutes ~ 6 ~~~"),
        ("中文**粗体**中文，**“引用”**后", "中文粗体中文，“引用”后"),
        ("**see note 1* and 2*.**", "see note 1* and 2*."),
        ("* * *a", "• • *a"),
        ("a  \nb\\\nc", "a\nb\nc"),
    ] {
        assert_eq!(shown(text, 200), format!("{expected}\n"), "{text:?}");
    }
}

#[test]
fn blocks_are_laid_out() {
    for (text, width, expected) in [
        ("one two three\nfour", 9, "one two\nthree\nfour\n"),
        ("a\n\n\n\nb\n\n", 80, "a\n\nb\n"),
        ("\n\na", 80, "a\n"),
        ("# One\n## Two ##\n#tag\n####### seven", 80, "# One\n## Two\n#tag\n####### seven\n"),
        ("# C# \n### a # b", 80, "# C#\n### a # b\n"),
        ("Title\n=====\n\n---\n***\n_ _ _", 6, "Title\n=====\n\n──────\n──────\n──────\n"),
        ("- one two three\n- four", 10, "• one two\n  three\n• four\n"),
        ("1. a\n   - b\n     more\n10) c", 80, "1. a\n   • b\n     more\n10) c\n"),
        ("1. a\n  - two columns\n    - four\n2. b", 80, "1. a\n   • two columns\n     • four\n2. b\n"),
        ("- a\n\n  b\n\nc", 80, "• a\n\n  b\n\nc\n"),
        ("- [ ] to do\n- [x] done", 80, "• [ ] to do\n• [x] done\n"),
        ("-\n- a\n-5 is a number", 80, "•\n• a\n-5 is a number\n"),
        ("> a b c d\n>\n> > e\nf", 8, "│ a b c\n│ d\n│\n│ │ e\nf\n"),
        ("> - a\n>   b", 80, "│ • a\n│   b\n"),
        ("```rust\nfn  a() {\n\n\n\tb\n}\n```\nend", 7, "── rust\nfn  a() {\n\n\n\tb\n}\n──\nend\n"),
        ("~~~\n**a**", 80, "──\n**a**\n"),
        ("- a\n  ```sh\n  ls | wc\n  ```\n- b", 80, "• a\n── sh\nls | wc\n──\n• b\n"),
        ("- ```\n  x\n  ```", 80, "•\n──\nx\n──\n"),
        ("a\n\n    code  *x*\n\tb\nc\n    d", 80, "a\n\n    code  *x*\n\tb\nc\nd\n"),
        ("$$\na_1 * b_1 * c\n$$\n\n\\[\nx\n\\]", 80, "$$\na_1 * b_1 * c\n$$\n\n\\[\nx\n\\]\n"),
        ("1234567890", 4, "1234\n5678\n90\n"),
        ("ab 1234567890", 4, "ab\n1234\n5678\n90\n"),
        ("日本語のテキスト。です", 8, "日本語の\nテキス\nト。です\n"),
        (
            "👩\u{200d}💻👩\u{200d}💻👩\u{200d}💻 e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
            4,
            "👩\u{200d}💻👩\u{200d}💻\n👩\u{200d}💻\ne\u{301}e\u{301}e\u{301}e\u{301}\ne\u{301}\n",
        ),
        ("🇩🇪🇫🇷👍🏽", 2, "🇩🇪\n🇫🇷\n👍🏽\n"),
        ("- - - - - - - a", 8, "• • • •\n    • •\n    • a\n"),
    ] {
        assert_eq!(shown(text, width), expected, "{text:?}");
    }
}

#[test]
fn tables_are_aligned_and_fit() {
    let table = "| Name | Value |\n|:-----|------:|\n| 日本 | 1 |\n| **b** \\| `c` | 10 | extra |\n| short |\n";
    for (text, width, expected) in [
        (table, 80, "Name  │    Value\n──────┼─────────\n日本  │        1\nb | c │ 10 extra\nshort │\n"),
        ("| a |\nb", 80, "| a |\nb\n"),
        ("| a | b |\n|---|\n| c |", 80, "| a | b |\n|---|\n| c |\n"),
        ("|x| is *y*", 80, "|x| is y\n"),
        ("- |a|b|\n  |-|-|\n  |c|d|\n- e", 80, "• a │ b\n  ──┼──\n  c │ d\n• e\n"),
        ("|a|\n|:-:|\n|123|", 80, " a\n───\n123\n"),
        (
            "| key | a long text |\n|---|---|\n| x | one two three four |\n| y<br>z | five |",
            17,
            "key │ a long text\n────┼────────────\nx   │ one two\n    │ three four\n────┼────────────\ny   │ five\nz   │\n",
        ),
        ("|abcdefgh|abcdefgh|abcdefgh|\n|-|-|-|\n|1|2|3|", 10, "|abcdefgh|abcdefgh|abcdefgh|\n|-|-|-|\n|1|2|3|\n"),
    ] {
        assert_eq!(shown(text, width), expected, "{text:?}");
    }
}

/// What is written after each piece, and at the end.
fn steps(pieces: &[&str], abilities: Abilities) -> Vec<String> {
    let mut sanitizer = Sanitizer::default();
    let mut markdown = Markdown::new(20, abilities);
    let mut add = |piece: &&str| markdown.add(&Printable::piece(&mut sanitizer, piece)).as_str().to_owned();
    let mut steps: Vec<String> = pieces.iter().map(&mut add).collect();
    steps.push(markdown.finish().as_str().to_owned());
    steps
}

#[test]
fn only_what_may_be_markup_waits() {
    for (pieces, expected) in [
        (&["Hello wor", "ld ", "and"][..], &["Hello", " world", "", " and\n"][..]),
        (&["a **b ", "c", "** d "], &["a", "", " b c d", "\n"]),
        (&["a **b ", "c\nd "], &["a", " **b c\nd", "\n"]),
        (&["a `b", "` c "], &["a", " b c", "\n"]),
        (&["see [x", "] y [z](", "u) . "], &["see", " [x] y", " z (u) .", "\n"]),
        (&["2 * 3 ", "_x y "], &["2 * 3", "", " _x y\n"]),
        (&["# He", "ad ing "], &["# He".split_at(1).0, " Head ing", "\n"]),
        (&["- item ", "text "], &["• item", " text", "\n"]),
        (&["|a|\n|-|\n", "|b|\n", "\nc "], &["", "", "a\n─\nb\n\nc", "\n"]),
        (&["```\nlet", " x\n", "y"], &["──\n", "let x\n", "", "y\n"]),
        (&["日本", "語"], &["日", "本", "語\n"]),
        (&["👩", "\u{200d}💻 "], &["", "👩\u{200d}💻", "\n"]),
        (&["--", "-", "\n"], &["", "", "────────────────────\n", ""]),
        (&["https://a.b/ ", "x"], &["https://a.b/", "", " x\n"]),
    ] {
        assert_eq!(steps(pieces, PLAIN), expected, "{pieces:?}");
    }
}

#[test]
fn a_new_width_counts_from_the_next_word_on() {
    let mut markdown = Markdown::new(40, PLAIN);
    let mut shown = markdown.add(&Printable::lines("one two three four five six "));
    markdown.set_width(10);
    shown
        .push(markdown.add(&Printable::lines("seven eight nine\n\n| a | b |\n|-|-|\n| long cell text | c |\n\n---\n")));
    shown.push(markdown.finish());
    let expected = "one two three four five six\nseven\neight nine\n\na      │ b\n───────┼──\nlong   │ c\ncell   │\ntext   │\n\n──────────\n";
    assert_eq!(shown.as_str(), expected);
}

#[test]
fn links_are_clickable_where_the_terminal_follows_them_and_it_is_plain_where_they_lead() {
    let clickable = Abilities { styles: true, links: true };
    let link = |url: &str, text: &str| {
        let id = links::link(url).id;
        format!("\u{1b}]8;id={id};{url}\u{1b}\\\u{1b}[4;34m{text}\u{1b}[0m\u{1b}]8;;\u{1b}\\")
    };
    for (text, expected) in [
        ("[a b](https://c.d)", format!("{}{}", link("https://c.d", "a"), link("https://c.d", " b"))),
        ("https://c.d.", format!("{}.", link("https://c.d", "https://c.d"))),
        ("[a](file:///etc/passwd)", "\u{1b}[4;34ma\u{1b}[0m\u{1b}[2m (file:///etc/passwd)\u{1b}[0m".to_owned()),
        ("[a](https://ü.d)", "\u{1b}[4;34ma\u{1b}[0m\u{1b}[2m (https://ü.d)\u{1b}[0m".to_owned()),
        ("[bank.com](https://c.d)", format!("{}\u{1b}[2m (https://c.d)\u{1b}[0m", link("https://c.d", "bank.com"))),
    ] {
        assert_eq!(rendered(text, 80, clickable), format!("{expected}\n"), "{text:?}");
    }
}

#[test]
fn code_has_colours_and_a_long_line_has_none() {
    let styled = Abilities { styles: true, links: false };
    let code = rendered("```rust\nlet a = 1; // b\n```", 80, styled);
    let expected = "\u{1b}[2m──\u{1b}[0m\u{1b}[2m rust\u{1b}[0m\n\u{1b}[1;34mlet\u{1b}[0m a = \u{1b}[35m1\u{1b}[0m; \u{1b}[2m// b\u{1b}[0m\n\u{1b}[2m──\u{1b}[0m\n";
    assert_eq!(code, expected);
    let long = format!("let a = {};", "1".repeat(3000));
    assert!(rendered(&format!("```rust\n{long}\n```"), 80, styled).contains(&format!("\n{long}\n")));
    for language in ["TypeScript", "toml", "Dockerfile", "golang", "jsx", "console", "c++", "diff", "kotlin", "zsh"] {
        assert!(Highlighter::new(language).is_some(), "{language}");
    }
    assert!(Highlighter::new("no-such-language").is_none());
}
