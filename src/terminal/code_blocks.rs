pub(crate) struct CodeBlock {
    pub(crate) language: Option<String>,
    pub(crate) code: String,
}
pub(crate) fn code_blocks(_text: &str) -> Vec<CodeBlock> {
    Vec::new()
}
