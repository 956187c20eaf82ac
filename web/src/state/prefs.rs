//! What the visitor has set once and finds again on the next visit.

use serde::{Deserialize, Serialize};

use crate::browser;
use crate::words::Lang;

const KEY: &str = "tabernetes.prefs";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Prefs {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<Theme>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
    pub show_traffic: bool,
    pub show_storage: bool,
    pub show_system: bool,
    /// Panel sizes in px; `None` is the design's own for the width of the window.
    pub editor_width: Option<f64>,
    pub inspector_width: Option<f64>,
    pub dock_height: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    Light,
    Dark,
}

impl Default for Prefs {
    fn default() -> Self {
        Prefs {
            theme: None,
            lang: None,
            show_traffic: true,
            show_storage: true,
            show_system: false,
            editor_width: None,
            inspector_width: None,
            dock_height: None,
        }
    }
}

impl Prefs {
    pub fn load() -> Self {
        browser::stored(KEY).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    pub fn save(&self) {
        if let Ok(text) = serde_json::to_string(self) {
            browser::store(KEY, &text);
        }
    }

    pub fn dark(&self) -> bool {
        match self.theme {
            Some(theme) => theme == Theme::Dark,
            None => browser::media("(prefers-color-scheme: dark)"),
        }
    }

    pub fn language(&self) -> Lang {
        self.lang.unwrap_or_else(browser::language)
    }
}
