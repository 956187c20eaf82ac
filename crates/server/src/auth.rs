//! Who asks: static bearer tokens, as with `--token-auth-file`.

use std::io::Read as _;

use anyhow::Context as _;
use api::User;
use tabernetes::SigningKey;

#[derive(Clone, Default)]
pub struct Tokens(Vec<Token>);

#[derive(Clone)]
pub struct Token {
    pub token: String,
    pub user: String,
    groups: Vec<String>,
}

impl Tokens {
    /// `TOKEN=USER[,GROUP…]`
    pub fn add(&mut self, text: &str) -> anyhow::Result<()> {
        let (token, who) = text.split_once('=').context("--token wants TOKEN=USER[,GROUP...]")?;
        let mut names = who.split(',').map(str::to_owned);
        let user = names.next().filter(|user| !user.is_empty()).context("--token names no user")?;
        anyhow::ensure!(!token.is_empty(), "--token has an empty token");
        self.0.push(Token { token: token.into(), user, groups: names.collect() });
        Ok(())
    }

    /// A token that nobody can guess, for the administrator.
    pub fn draw(&mut self) -> anyhow::Result<String> {
        let bytes: [u8; 16] = random()?;
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.add(&format!("{token}=kubernetes-admin,system:masters"))?;
        Ok(token)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first token: the kubeconfig's.
    pub fn admin(&self) -> &Token {
        &self.0[0]
    }

    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.0.iter()
    }
}

/// A key that nobody can guess, by which the cluster signs clients' certificates.
pub fn draw_key() -> anyhow::Result<SigningKey> {
    random()
}

fn random<const SIZE: usize>() -> anyhow::Result<[u8; SIZE]> {
    let mut bytes = [0; SIZE];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes).context("no random numbers")?;
    Ok(bytes)
}

impl Token {
    pub fn user(&self) -> User {
        let groups: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        let admin = User::admin();
        // Whoever is called like the administrator is that user, with that uid.
        let uid = if self.user == admin.name { admin.uid } else { String::new() };
        User { uid, ..User::new(&self.user, &groups) }
    }
}
