//! Commands that change what the next question is sent with, or show what there is.

use super::{chat, on_terminal, piped};
use crate::support::{Bedrock, Chatrix, Reply};
use serde_json::json;

#[test]
fn max_tokens_goes_up_to_the_limit_of_the_policy() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let lines = "/max-tokens\n/max-tokens 1025\none\n/max-tokens 1000\ntwo\n";
    piped(&bedrock, lines)
        .code(3)
        .stderr_has("answers have at most 512 tokens, the default; nova-micro allows up to 1024")
        .stderr_has("error: answers of nova-micro have at most 1024 tokens; /max-tokens 1024 allows the longest")
        .stderr_has("answers have at most 1000 tokens, as you asked; nova-micro allows up to 1024");
    let sent = |index: usize| bedrock.calls()[index].body["inferenceConfig"]["maxTokens"].clone();
    assert_eq!((sent(0), sent(1)), (json!(512), json!(1000)));
}

#[test]
fn model_switches_and_the_conversation_stays() {
    let bedrock = Bedrock::script([Reply::text("one"), Reply::text("two")]);
    let lines = "first\n/model nova-pro\nsecond\n/model claude-sonnet-4\n/model us.foo.bar\n/model nope\n";
    piped(&bedrock, lines)
        .code(2)
        .stderr_has("nova-pro (Nova Pro) answers from now on; the conversation continues")
        .stderr_has("AWS retired it on 2026-10-14, and claude-sonnet-4-6 answers instead")
        .stderr_has("us.foo.bar answers from now on; the conversation continues; its price is unknown")
        .stderr_has("no model is called \"nope\"");
    let calls = bedrock.calls();
    assert_eq!(calls[1].model, "us.amazon.nova-pro-v1:0");
    assert_eq!(calls[1].body["messages"].as_array().unwrap().len(), 3);
}

#[test]
fn the_system_prompt_is_set_shown_and_removed() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let lines = "/system\n/system  Be brief. \none\n/system\n/system none\ntwo\n";
    piped(&bedrock, lines)
        .code(0)
        .stderr_has("there is no system prompt; /system TEXT sets one")
        .stderr_has("system prompt: Be brief.")
        .stderr_has("system prompt removed");
    let calls = bedrock.calls();
    assert_eq!(calls[0].body["system"], json!([{"text": "Be brief."}]));
    assert!(calls[1].body.get("system").is_none_or(|system| *system == json!([])));
}

#[test]
fn reasoning_is_asked_for_where_it_fits_and_can_be_hidden() {
    let thought = json!([{"type": "thinking", "thinking": "hm hm", "signature": "s"}, {"type": "text", "text": "ok"}]);
    let bedrock = Bedrock::script([Reply::Message(thought, "end_turn", (10, 5))]);
    let chat = || Chatrix::chat().args(["-m", "claude-haiku-4-5"]).bedrock(&bedrock);
    chat()
        .stdin("/reasoning\n/reasoning on\none\n")
        .run()
        .code(0)
        .stderr_has("reasoning is not asked for, and shown where a model reasons anyway")
        .stderr_has(
            "those of claude-haiku-4-5 have at most 512; raise max_tokens_limit in the config file, which is 1024",
        );
    let config = "[limits]\nmax_tokens = 4096\nmax_tokens_limit = 4096\n";
    chat()
        .config(config)
        .stdin("/reasoning on\none\n")
        .run()
        .code(0)
        .stderr_has("reasoning is asked for and shown; it is billed as a part of the answer");
    let sent = |index: usize| bedrock.calls()[index].body["additionalModelRequestFields"]["thinking"].clone();
    assert_ne!(sent(0)["type"], "enabled");
    assert_eq!(sent(1)["type"], "enabled");
    let mut shown = on_terminal(chat());
    shown.line("one");
    shown.wait_for("session");
    shown.wait_for("hm hm");
    shown.wait_for_prompt();
    shown.line("/clear");
    shown.wait_for("started a new conversation");
    shown.wait_for_prompt();
    shown.keys("\x0c");
    shown.line("/reasoning off");
    shown.wait_for("reasoning is neither asked for nor shown");
    shown.line("two");
    let screen = shown.wait_for("session $");
    assert!(!screen.contains("hm hm"), "{screen}");
}

#[test]
fn cost_and_context_are_shown() {
    let bedrock = Bedrock::script([Reply::Measured(1200, 34)]);
    let config = "[budget]\nday_usd = 1\n";
    let lines = "/context\none\n/cost\n/context\n/undo\n/context\n";
    let chat = chat(&bedrock).config(config).args(["--max-cost", "0.5"]);
    let outcome = chat.stdin(lines).run().code(0);
    outcome
        .stderr_has("this session: 1 answer, $0.0000")
        .stderr_has("left of --max-cost $0.5")
        .stderr_has("left of the day budget")
        .stderr_has("1,234 tokens (counted with the last answer), 0 % of the 128,000 of nova-micro\na short next question can cost at most $");
}

#[test]
fn a_model_without_a_price_is_never_free() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let chat = Chatrix::chat().args(["-m", "us.foo.bar"]).bedrock(&bedrock);
    let outcome = chat.stdin("one\n/cost\n/context\n").run().code(0);
    outcome
        .stderr_has("this session: 1 answer, and 1 at an unknown price")
        .stderr_has("what the next question costs is unknown, because the model has no price");
}

#[test]
fn help_lists_every_command_on_one_screen() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let outcome = piped(&bedrock, "/help\n/?\n").code(0);
    for line in outcome.stderr.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for command in
        ["/model [NAME]", "/undo", "/retry [MODEL]", "/continue", "/max-tokens [N]", "/file [PATH…]", "/copy"]
    {
        assert_eq!(outcome.stderr.matches(command).count(), 2, "{command}");
    }
    assert_eq!(bedrock.calls().len(), 0);
}
