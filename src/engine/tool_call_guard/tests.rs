//! What is passed on of tool calls, by what came and how the answer ended.

use super::*;

const WHOLE: &str = "{\"path\": \"a.txt\"}";
const HALF: &str = "{\"path\": \"a.t";

fn text() -> Vec<Event> {
    vec![Event::Text("Look:".into()), Event::BlockEnd]
}

fn call(index: usize, arguments: &str) -> Vec<Event> {
    let mut events = vec![Event::ToolCall { index, id: format!("t{index}"), name: "write".into() }];
    events.extend(arguments.split_inclusive(' ').map(|json| Event::Arguments { index, json: json.into() }));
    events.push(Event::BlockEnd);
    events
}

/// What is passed on of these blocks and this stop, and the call that was cut.
fn passed(hold: bool, verbatim: bool, blocks: &[Vec<Event>], stop: StopReason) -> (Vec<Event>, Option<CutCall>) {
    let required = HashMap::from([("write".to_owned(), vec!["path".to_owned(), "content".to_owned()])]);
    let wholeness = if verbatim { Wholeness::Json } else { Wholeness::Required(required) };
    pass_all(ToolCallGuard::new(Holding { held: hold, cut_calls: CutCalls::Refuse }, wholeness), blocks, stop)
}

fn pass_all(mut guard: ToolCallGuard, blocks: &[Vec<Event>], stop: StopReason) -> (Vec<Event>, Option<CutCall>) {
    let mut passed = VecDeque::new();
    for event in blocks.concat() {
        assert_eq!(guard.pass(event, &mut passed), Ok(()));
    }
    let cut = guard.pass(Event::Stop(stop), &mut passed).err();
    (passed.into(), cut)
}

fn ended(blocks: &[Vec<Event>], stop: StopReason) -> (Vec<Event>, Option<CutCall>) {
    let mut events = blocks.concat();
    events.push(Event::Stop(stop));
    (events, None)
}

fn cut_after(blocks: &[Vec<Event>], reason: StopReason) -> (Vec<Event>, Option<CutCall>) {
    (blocks.concat(), Some(CutCall { tool: "write".into(), reason }))
}

#[test]
fn a_cut_call_never_leaves_as_a_call() {
    for stop in [StopReason::MaxTokens, StopReason::ContextWindow, StopReason::ContentFiltered] {
        let half = [text(), call(0, HALF)];
        // Held back: what stands beside the call is kept, and without anything the answer fails.
        assert_eq!(passed(true, true, &half, stop.clone()), ended(&half[..1], stop.clone()));
        assert_eq!(passed(true, true, &half[1..], stop.clone()), cut_after(&[], stop.clone()));
        let second = [call(0, WHOLE), call(1, HALF)];
        assert_eq!(passed(true, true, &second, stop.clone()), ended(&second[..1], stop.clone()));
        // Passed on as it came: an error takes the place of the stop.
        assert_eq!(passed(false, true, &half, stop.clone()), cut_after(&half, stop.clone()));
        // A complete answer: Bedrock has closed the JSON itself, and has left out what was not finished.
        let closed = [text(), call(0, WHOLE)];
        assert_eq!(passed(true, false, &closed, stop.clone()), ended(&closed[..1], stop.clone()));
        // Before its first argument, a cut call looks like one without arguments.
        let empty = [text(), call(0, "{}")];
        assert_eq!(passed(true, true, &empty, stop.clone()), ended(&empty[..1], stop.clone()));
        assert_eq!(passed(false, true, &empty, stop.clone()), cut_after(&empty, stop));
    }
}

#[test]
fn half_a_call_never_leaves_whatever_follows_it() {
    // The last call, with a stop that says that the answer is complete.
    for stop in [StopReason::EndTurn, StopReason::ToolUse, StopReason::StopSequence(None)] {
        let half = [text(), call(0, HALF)];
        assert_eq!(passed(true, true, &half, stop.clone()), ended(&half[..1], StopReason::MaxTokens));
        assert_eq!(passed(false, true, &half, stop.clone()), cut_after(&half, stop.clone()));
        let second = [call(0, WHOLE), call(1, HALF)];
        assert_eq!(passed(true, true, &second, stop.clone()), ended(&second[..1], StopReason::ToolUse));
        // The answer goes on after it.
        let inside = [call(0, HALF), text()];
        assert_eq!(passed(true, true, &inside, stop.clone()), ended(&inside[1..], StopReason::MaxTokens));
        let first = [call(0, HALF), call(1, WHOLE)];
        assert_eq!(passed(true, true, &first, stop), ended(&first[1..], StopReason::ToolUse));
    }
}

#[test]
fn a_whole_call_leaves_as_a_call_whatever_the_stop_says() {
    let whole = [text(), call(0, WHOLE)];
    for stop in [StopReason::EndTurn, StopReason::ToolUse, StopReason::Unknown("new".into())] {
        for hold in [false, true] {
            assert_eq!(passed(hold, true, &whole, stop.clone()), ended(&whole, StopReason::ToolUse), "{stop:?}");
        }
    }
    let all_required = [text(), call(0, "{\"path\": \"a.txt\", \"content\": \"a\"}")];
    let text_after = [call(0, WHOLE), text()];
    for whole in [all_required, text_after] {
        assert_eq!(passed(true, false, &whole, StopReason::MaxTokens), ended(&whole, StopReason::MaxTokens));
    }
    for hold in [false, true] {
        assert_eq!(passed(hold, true, &whole, StopReason::MaxTokens), ended(&whole, StopReason::MaxTokens));
    }
    let without_arguments = [call(0, "{}")];
    for stop in [StopReason::EndTurn, StopReason::ToolUse] {
        assert_eq!(passed(true, true, &without_arguments, stop), ended(&without_arguments, StopReason::ToolUse));
    }
    assert_eq!(passed(true, true, &[text()], StopReason::MaxTokens), ended(&[text()], StopReason::MaxTokens));
}

#[test]
fn an_agent_gets_an_answer_without_the_cut_call_and_never_half_of_it() {
    use StopReason::{ContentFiltered, ContextWindow, EndTurn, MaxTokens, StopSequence, ToolUse};
    let required = || Wholeness::Required(HashMap::from([("write".to_owned(), vec!["content".to_owned()])]));
    let thought = vec![Event::Reasoning("Hm.".into()), Event::BlockEnd];
    for (blocks, verbatim, stop, kept, reported) in [
        // Nothing but the call: an empty answer that was cut.
        (vec![call(0, HALF)], true, MaxTokens, 0, MaxTokens),
        (vec![call(0, HALF)], true, ContextWindow, 0, ContextWindow),
        (vec![call(0, HALF)], true, ContentFiltered, 0, ContentFiltered),
        (vec![call(0, HALF)], true, EndTurn, 0, MaxTokens),
        (vec![call(0, HALF)], true, ToolUse, 0, MaxTokens),
        (vec![call(0, HALF)], true, StopSequence(None), 0, MaxTokens),
        // Cut before its first argument, and in a complete answer, whose JSON Bedrock has closed.
        (vec![call(0, "")], true, MaxTokens, 0, MaxTokens),
        (vec![call(0, WHOLE)], false, MaxTokens, 0, MaxTokens),
        // Beside other content.
        (vec![thought.clone(), call(0, HALF)], true, MaxTokens, 1, MaxTokens),
        (vec![text(), call(0, HALF)], true, MaxTokens, 1, MaxTokens),
        (vec![call(0, WHOLE), call(1, HALF)], true, MaxTokens, 1, MaxTokens),
        (vec![call(0, WHOLE), call(1, HALF)], true, EndTurn, 1, ToolUse),
        // Whole calls stay.
        (vec![text(), call(0, WHOLE)], true, MaxTokens, 2, MaxTokens),
        (vec![call(0, WHOLE)], true, ToolUse, 1, ToolUse),
        (vec![call(0, "{}")], true, ToolUse, 1, ToolUse),
    ] {
        let wholeness = if verbatim { Wholeness::Json } else { required() };
        let guard = ToolCallGuard::new(Holding { held: true, cut_calls: CutCalls::LeaveOut }, wholeness);
        let is_cut = kept < blocks.len();
        let (passed, cut) = pass_all(guard, &blocks, stop.clone());
        assert_eq!((passed, cut), ended(&blocks[..kept], reported), "{blocks:?} {stop:?}");
        assert!(is_cut || kept > 0);
    }
}

#[test]
fn a_cut_is_told_from_a_whole_answer() {
    for (blocks, stop, is_cut) in [
        (vec![call(0, HALF)], StopReason::MaxTokens, true),
        (vec![text(), call(0, HALF)], StopReason::MaxTokens, true),
        (vec![text()], StopReason::MaxTokens, false),
        (vec![call(0, WHOLE)], StopReason::ToolUse, false),
        (vec![call(0, WHOLE)], StopReason::MaxTokens, false),
    ] {
        for cut_calls in [CutCalls::Refuse, CutCalls::LeaveOut] {
            let mut guard = ToolCallGuard::new(Holding { held: true, cut_calls }, Wholeness::Json);
            let events = blocks.concat().into_iter().chain([Event::Stop(stop.clone())]);
            events.for_each(|event| drop(guard.pass(event, &mut VecDeque::new())));
            assert_eq!(guard.has_cut_call(), is_cut, "{blocks:?} {stop:?}");
        }
    }
}

#[test]
fn nothing_of_a_held_call_is_passed_on_before_it_is_whole() {
    let holding = Holding { held: true, cut_calls: CutCalls::Refuse };
    let mut guard = ToolCallGuard::new(holding, Wholeness::Json);
    let mut passed = VecDeque::new();
    let events = call(0, WHOLE);
    for event in &events[..events.len() - 1] {
        assert_eq!(guard.pass(event.clone(), &mut passed), Ok(()));
        assert!(passed.is_empty(), "{event:?}");
    }
    assert_eq!(guard.pass(Event::BlockEnd, &mut passed), Ok(()));
    assert_eq!(Vec::from(passed), events);
}
