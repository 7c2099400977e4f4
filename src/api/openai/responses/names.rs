//! The names of tools. A client names a tool within a namespace, or by its kind alone; a model knows one name for each
//! tool. A call must come back under the client's own name, with the namespace apart, and as the kind of item that its
//! tool has, or the client does not know the tool (docs/openai.md §5.3).

use std::collections::HashMap;

/// What a tool is to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ToolKind {
    /// Its arguments are JSON.
    Function,
    /// Its input is text.
    Custom,
    /// It finds further tools.
    Search,
}

/// A tool as the client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientTool {
    pub(super) kind: ToolKind,
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

/// The name of the tool that finds further tools, which has none of its own.
pub(super) const TOOL_SEARCH: &str = "tool_search";

/// The tools of one request, in both directions.
#[derive(Debug, Default)]
pub(super) struct ToolNames {
    /// The tool of each name that the model knows.
    tools: HashMap<String, ClientTool>,
    /// The model's name for each tool, by namespace and name.
    names: HashMap<(Option<String>, String), String>,
    /// The number that the next tool of a taken name gets.
    next: HashMap<String, usize>,
}

impl ToolNames {
    /// Adds a tool. Returns the name that the model gets, or `None` when the client has offered the tool before.
    pub(super) fn offer(&mut self, tool: ClientTool) -> Option<String> {
        let key = (tool.namespace.clone(), tool.name.clone());
        if self.names.contains_key(&key) { None } else { Some(self.add(key, tool)) }
    }

    /// The model's name for a tool that was called earlier, whether or not it is still offered.
    pub(super) fn called(&mut self, tool: ClientTool) -> String {
        let key = (tool.namespace.clone(), tool.name.clone());
        match self.names.get(&key) {
            Some(name) => name.clone(),
            None => self.add(key, tool),
        }
    }

    /// The model's name for a tool that is offered.
    pub(super) fn offered(&self, namespace: Option<&str>, name: &str) -> Option<&str> {
        self.names.get(&(namespace.map(ToOwned::to_owned), name.to_owned())).map(String::as_str)
    }

    /// The tool that the model calls by this name. A name that no tool has is the client's to judge.
    pub(super) fn client_tool(&self, name: &str) -> ClientTool {
        let unknown = || ClientTool { kind: ToolKind::Function, namespace: None, name: name.to_owned() };
        self.tools.get(name).cloned().unwrap_or_else(unknown)
    }

    fn add(&mut self, key: (Option<String>, String), tool: ClientTool) -> String {
        let flat = match &tool.namespace {
            Some(namespace) => format!("{namespace}__{}", tool.name),
            None => tool.name.clone(),
        };
        let name = self.distinct(flat);
        self.tools.insert(name.clone(), tool);
        self.names.insert(key, name.clone());
        name
    }

    /// The name, with a number where another tool has it already.
    fn distinct(&mut self, name: String) -> String {
        if !self.tools.contains_key(&name) {
            return name;
        }
        let next = self.next.entry(name.clone()).or_insert(2);
        loop {
            let numbered = format!("{name}_{next}");
            *next += 1;
            if !self.tools.contains_key(&numbered) {
                return numbered;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(namespace: Option<&str>, name: &str) -> ClientTool {
        ClientTool { kind: ToolKind::Function, namespace: namespace.map(Into::into), name: name.into() }
    }

    #[test]
    fn names_go_out_flat_and_come_back_in_two_parts() {
        let mut names = ToolNames::default();
        for (namespace, name, sent) in [
            (Some("mcp__weather"), "picture", "mcp__weather__picture"),
            (None, "picture", "picture"),
            // Two tools whose flat names are the same.
            (Some("a"), "b__c", "a__b__c"),
            (Some("a__b"), "c", "a__b__c_2"),
            (None, "a__b__c", "a__b__c_3"),
            (None, "a__b__c_2", "a__b__c_2_2"),
        ] {
            let own = tool(namespace, name);
            assert_eq!(names.offer(own.clone()).as_deref(), Some(sent));
            assert_eq!(names.offer(own.clone()), None, "{sent} twice");
            assert_eq!(names.client_tool(sent), own);
            assert_eq!(names.offered(namespace, name), Some(sent));
            assert_eq!(names.called(own), sent);
        }
        // A call of a tool that is not offered any more, and a name that the model has made up.
        assert_eq!(names.called(tool(Some("gone"), "x")), "gone__x");
        assert_eq!(names.client_tool("gone__x"), tool(Some("gone"), "x"));
        assert_eq!(names.client_tool("made__up"), tool(None, "made__up"));
    }
}
