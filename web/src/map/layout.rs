//! Where everything on the map is: plain arithmetic from what there is and how wide the pane is.

use std::collections::BTreeMap;

use super::slots::Slots;

/// The measures of the design, in px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measures {
    pub padding: f64,
    pub top: f64,
    pub control_height: f64,
    /// Between the control strip and the nodes: the API bus.
    pub bus_gap: f64,
    pub edge_width: f64,
    pub edge_gap: f64,
    /// Between the left edge and the nodes, where traffic turns.
    pub channel: f64,
    pub gap: f64,
    pub node_header: f64,
    /// The line that traffic takes through a node, below its header.
    pub rail: f64,
    pub tiles_top: f64,
    pub tile_height: f64,
    pub tile_gap: f64,
    pub tile_inset: f64,
    /// Between a node's two columns of tiles.
    pub bridge: f64,
    pub node_footer: f64,
    node_width_min: f64,
    node_width_max: f64,
}

impl Measures {
    pub const REGULAR: Measures = Measures {
        padding: 14.0,
        top: 10.0,
        control_height: 78.0,
        bus_gap: 30.0,
        edge_width: 132.0,
        edge_gap: 18.0,
        channel: 18.0,
        gap: 14.0,
        node_header: 61.0,
        rail: 9.0,
        tiles_top: 18.0,
        tile_height: 48.0,
        tile_gap: 6.0,
        tile_inset: 8.0,
        bridge: 12.0,
        node_footer: 21.0,
        node_width_min: 180.0,
        node_width_max: 260.0,
    };

    /// The reduced page: cards without meters and footer.
    pub const COMPACT: Measures = Measures {
        padding: 10.0,
        edge_width: 114.0,
        edge_gap: 14.0,
        channel: 16.0,
        gap: 6.0,
        node_header: 31.0,
        rail: 8.0,
        tiles_top: 16.0,
        tile_height: 45.0,
        tile_inset: 7.0,
        node_footer: 0.0,
        node_width_min: 160.0,
        ..Measures::REGULAR
    };
}

const CLAIM_HEIGHT: f64 = 40.0;
const STORAGE_GAP: f64 = 30.0;
const CLAIM_GAP: f64 = 8.0;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Rect {
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }

    pub fn middle_x(&self) -> f64 {
        self.x + self.width / 2.0
    }

    pub fn middle_y(&self) -> f64 {
        self.y + self.height / 2.0
    }

    pub fn style(&self) -> String {
        format!("left:{:.1}px;top:{:.1}px;width:{:.1}px;height:{:.1}px", self.x, self.y, self.width, self.height)
    }
}

/// What there is to place, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    pub width: f64,
    /// The reduced page: no control plane, no storage, smaller cards.
    pub compact: bool,
    pub clients: bool,
    /// Key and number of lines.
    pub ingresses: Vec<(String, usize)>,
    /// Key, and whether its address takes a line.
    pub services: Vec<(String, bool)>,
    /// Name and rows of slots.
    pub nodes: Vec<(String, usize)>,
    /// Key and the node that it is drawn below; empty where nothing mounts it.
    pub claims: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    pub measures: Measures,
    pub width: f64,
    pub height: f64,
    pub control_plane: Option<Rect>,
    pub clients: Option<Rect>,
    pub ingresses: BTreeMap<String, Rect>,
    pub services: BTreeMap<String, Rect>,
    pub nodes: BTreeMap<String, Rect>,
    /// Rows of nodes, as their tops.
    pub rows: Vec<f64>,
    pub claims: BTreeMap<String, Rect>,
    /// The label beside the first claims.
    pub storage: Option<Rect>,
}

impl Layout {
    pub fn of(inventory: &Inventory) -> Layout {
        let m = if inventory.compact { Measures::COMPACT } else { Measures::REGULAR };
        let width = inventory.width.max(480.0);
        let mut layout = Layout {
            measures: m,
            width,
            height: 0.0,
            control_plane: None,
            clients: None,
            ingresses: BTreeMap::new(),
            services: BTreeMap::new(),
            nodes: BTreeMap::new(),
            rows: Vec::new(),
            claims: BTreeMap::new(),
            storage: None,
        };
        let mut top = m.top;
        if !inventory.compact {
            layout.control_plane =
                Some(Rect { x: m.padding, y: m.top, width: width - 2.0 * m.padding, height: m.control_height });
            top += m.control_height + m.bus_gap;
        }
        let left_bottom = layout.place_edge(inventory, top);
        let nodes_bottom = layout.place_nodes(inventory, top);
        // The label gives way to the left edge.
        layout.storage = layout.storage.filter(|label| label.y > left_bottom);
        layout.height = left_bottom.max(nodes_bottom) + m.padding;
        layout
    }

    /// The left edge: clients, Ingresses, Services from the top down. Returns its bottom.
    fn place_edge(&mut self, inventory: &Inventory, top: f64) -> f64 {
        let m = self.measures;
        let mut y = top;
        let mut next = |height: f64| {
            let rect = Rect { x: m.padding, y, width: m.edge_width, height };
            y += height + m.edge_gap;
            rect
        };
        if inventory.clients {
            self.clients = Some(next(46.0));
        }
        for (key, lines) in &inventory.ingresses {
            self.ingresses.insert(key.clone(), next(34.0 + 15.0 * *lines as f64));
        }
        for (key, has_address) in &inventory.services {
            self.services.insert(key.clone(), next(if *has_address { 80.0 } else { 64.0 }));
        }
        y - m.edge_gap
    }

    /// Node cards in rows, each row's claims below it. Returns the bottom.
    fn place_nodes(&mut self, inventory: &Inventory, top: f64) -> f64 {
        let m = self.measures;
        let left = m.padding + m.edge_width + m.channel;
        let room = self.width - left - m.padding;
        let fitting = (((room + m.gap) / (m.node_width_min + m.gap)).floor() as usize).max(1);
        let columns = fitting.min(inventory.nodes.len().max(1));
        let node_width = ((room - m.gap * (columns - 1) as f64) / columns as f64).min(m.node_width_max);
        let rows: Vec<_> = inventory.nodes.chunks(columns).collect();
        let mut bottom = top;
        for (index, row) in rows.iter().enumerate() {
            let y = if index == 0 { top } else { bottom + m.bus_gap };
            let slot_rows = row.iter().map(|(_, rows)| *rows).max().unwrap_or(Slots::ROWS_MIN);
            let height = m.node_height(slot_rows);
            self.rows.push(y);
            for (column, (name, _)) in row.iter().enumerate() {
                let x = left + (node_width + m.gap) * column as f64;
                self.nodes.insert(name.clone(), Rect { x, y, width: node_width, height });
            }
            let in_row = |node: &str| row.iter().any(|(name, _)| name == node);
            let mut claims: Vec<_> = inventory.claims.iter().filter(|(_, node)| in_row(node)).cloned().collect();
            if index + 1 == rows.len() {
                // What nothing mounts is spread below the last nodes.
                let placed = |node: &str| inventory.nodes.iter().any(|(name, _)| name == node);
                let unmounted = inventory.claims.iter().filter(|(_, node)| !placed(node));
                claims
                    .extend(unmounted.zip(row.iter().cycle()).map(|((key, _), (node, _))| (key.clone(), node.clone())));
            }
            bottom = self.place_claims(claims, y + height);
        }
        bottom
    }

    /// Stacks each claim below its node. Returns the bottom of the highest stack.
    fn place_claims(&mut self, claims: Vec<(String, String)>, bottom: f64) -> f64 {
        if claims.is_empty() {
            return bottom;
        }
        let top = bottom + STORAGE_GAP;
        let mut stacks: BTreeMap<String, f64> = BTreeMap::new();
        for (key, node) in claims {
            let Some(card) = self.nodes.get(&node) else { continue };
            let y = stacks.get(&node).copied().unwrap_or(top);
            let rect = Rect { x: card.x, y, width: card.width, height: CLAIM_HEIGHT };
            stacks.insert(node, rect.bottom() + CLAIM_GAP);
            self.claims.insert(key, rect);
        }
        self.storage.get_or_insert(Rect {
            x: self.measures.padding,
            y: top - 4.0,
            width: self.measures.edge_width,
            height: 48.0,
        });
        stacks.values().copied().fold(top, f64::max) - CLAIM_GAP
    }

    /// The height at which traffic runs through a node.
    pub fn rail(&self, card: &Rect) -> f64 {
        card.y + self.measures.node_header + self.measures.rail
    }

    /// The tile in a slot of a node.
    pub fn tile(&self, node: &str, column: usize, row: usize) -> Option<Rect> {
        let m = self.measures;
        let card = self.nodes.get(node)?;
        let width = (card.width - 2.0 * (m.tile_inset + 1.0) - m.bridge) / 2.0;
        Some(Rect {
            x: card.x + 1.0 + m.tile_inset + (width + m.bridge) * column as f64,
            y: card.y + m.node_header + m.tiles_top + (m.tile_height + m.tile_gap) * row as f64,
            width,
            height: m.tile_height,
        })
    }
}

impl Measures {
    fn node_height(&self, slot_rows: usize) -> f64 {
        let rows = slot_rows as f64;
        let tiles = rows * self.tile_height + (rows - 1.0) * self.tile_gap;
        self.node_header + self.tiles_top + tiles + self.tile_inset + self.node_footer + 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_nodes() -> Inventory {
        Inventory {
            width: 788.0,
            compact: false,
            clients: true,
            ingresses: vec![("default/guestbook".into(), 2)],
            services: vec![("default/web".into(), true)],
            nodes: (1..=3).map(|index| (format!("node-{index}"), 4)).collect(),
            claims: vec![("default/data-0".into(), "node-1".into()), ("default/late".into(), String::new())],
        }
    }

    #[test]
    fn places_the_reference_as_the_design_draws_it() {
        let layout = Layout::of(&three_nodes());
        assert_eq!(layout.control_plane, Some(Rect { x: 14.0, y: 10.0, width: 760.0, height: 78.0 }));
        let node = layout.nodes["node-2"];
        assert_eq!((node.x, node.y, node.width), (372.0, 118.0, 194.0));
        assert_eq!(layout.clients.map(|rect| rect.y), Some(118.0));
        assert_eq!(layout.ingresses["default/guestbook"].y, 182.0);
    }

    #[test]
    fn wraps_nodes_that_do_not_fit() {
        let mut inventory = three_nodes();
        inventory.nodes = (1..=7).map(|index| (format!("node-{index}"), 4)).collect();
        let layout = Layout::of(&inventory);
        assert_eq!(layout.rows.len(), 3);
        assert_eq!(layout.nodes["node-4"].x, layout.nodes["node-1"].x);
        assert!(layout.nodes["node-4"].y > layout.claims["default/data-0"].bottom());
    }

    #[test]
    fn three_nodes_fit_the_reduced_page() {
        let layout = Layout::of(&Inventory { width: 720.0, compact: true, claims: Vec::new(), ..three_nodes() });
        assert_eq!(layout.rows.len(), 1);
        assert!(layout.nodes["node-3"].bottom() < 326.0);
    }

    #[test]
    fn a_claim_that_nothing_mounts_comes_last() {
        let layout = Layout::of(&three_nodes());
        assert!(layout.claims["default/late"].y > layout.claims["default/data-0"].y);
        assert_eq!(layout.claims["default/late"].x, layout.nodes["node-1"].x);
        assert!(layout.height >= layout.claims["default/late"].bottom());
    }

    #[test]
    fn a_slot_of_a_node_lies_inside_it() {
        let layout = Layout::of(&three_nodes());
        let card = layout.nodes["node-3"];
        let tile = layout.tile("node-3", 1, 3).expect("the node is placed");
        assert!(tile.x > card.x && tile.right() < card.right());
        assert!(tile.bottom() < card.bottom() - layout.measures.node_footer);
    }
}
