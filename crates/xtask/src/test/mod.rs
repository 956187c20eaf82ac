pub struct Options;
impl Options {
    pub fn parse(_arguments: lexopt::Parser) -> anyhow::Result<Options> {
        Ok(Options)
    }
}
pub fn run(_options: &Options) -> anyhow::Result<()> {
    Ok(())
}
