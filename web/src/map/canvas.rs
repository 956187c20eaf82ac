//! A node's Pods as marks on a canvas: where there are too many for tiles.

use protocol::view::{Lamp, Pod};
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};
use yew::prelude::*;

use super::Filter;
use super::pod::object;
use crate::size::use_size;
use crate::store::Row;
use crate::words::use_lang;
use crate::{actions, browser, lamp};

const CELL: f64 = 14.0;
const RADIUS: f64 = 4.5;

/// Rows of tiles that are as high as the marks of so many Pods, on the narrowest card.
pub fn tile_rows(pods: usize) -> usize {
    const COLUMNS: usize = 11;
    const TILE_ROW: f64 = 54.0;
    let height = pods.div_ceil(COLUMNS) as f64 * CELL + CELL;
    ((height / TILE_ROW).ceil() as usize).max(2)
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub pods: Vec<Row<Pod>>,
    pub filter: Filter,
}

#[component]
pub fn PodCanvas(props: &Props) -> Html {
    let lang = use_lang();
    let canvas = use_node_ref();
    let (width, height) = use_size(&canvas);
    let columns = ((width / CELL).floor() as usize).max(1);
    let hovered = use_state_eq(|| None::<usize>);
    {
        let canvas = canvas.clone();
        use_effect_with(
            (props.pods.clone(), props.filter.clone(), width as u32, height as u32),
            move |(pods, filter, _, _)| draw(&canvas, pods, filter, (width, height), columns),
        );
    }
    let cell = move |event: &MouseEvent| {
        let (x, y) = (f64::from(event.offset_x()), f64::from(event.offset_y()));
        (y / CELL) as usize * columns + ((x / CELL) as usize).min(columns - 1)
    };
    let onclick = {
        let pods = props.pods.clone();
        Callback::from(move |event: MouseEvent| {
            if let Some(pod) = pods.get(cell(&event)) {
                actions::select(Some(object(pod)));
            }
        })
    };
    let onmousemove = {
        let hovered = hovered.clone();
        Callback::from(move |event: MouseEvent| hovered.set(Some(cell(&event))))
    };
    let title = hovered.and_then(|index| props.pods.get(index)).map(|pod| lamp::full_name(lang, pod));
    html! { <canvas ref={canvas} class="podmarks" {onclick} {onmousemove} {title} /> }
}

fn draw(canvas: &NodeRef, pods: &[Row<Pod>], filter: &Filter, (width, height): (f64, f64), columns: usize) {
    let Some(canvas) = canvas.cast::<HtmlCanvasElement>() else { return };
    let scale = browser::window().device_pixel_ratio();
    canvas.set_width((width * scale) as u32);
    canvas.set_height((height * scale) as u32);
    let context = canvas.get_context("2d").ok().flatten().and_then(|it| it.dyn_into::<CanvasRenderingContext2d>().ok());
    let (Some(context), Ok(Some(style))) = (context, browser::window().get_computed_style(&browser::root())) else {
        return;
    };
    if context.scale(scale, scale).is_err() {
        return;
    }
    for (index, pod) in pods.iter().enumerate() {
        let colour = style.get_property_value(lamp::colour(&pod.lamp)).unwrap_or_default();
        let (x, y) = ((index % columns) as f64 * CELL + CELL / 2.0, (index / columns) as f64 * CELL + CELL / 2.0);
        context.set_global_alpha(if filter.passes(pod) { 1.0 } else { 0.2 });
        context.set_fill_style_str(&colour);
        context.set_stroke_style_str(&colour);
        context.set_line_width(1.6);
        mark(&context, &pod.lamp, x, y);
    }
}

/// The same shapes as the tiles' marks, as far as 9 px can tell them apart.
fn mark(context: &CanvasRenderingContext2d, lamp: &Lamp, x: f64, y: f64) {
    context.begin_path();
    match lamp {
        Lamp::CrashLoop | Lamp::CannotStart => {
            context.move_to(x, y - RADIUS);
            context.line_to(x + RADIUS, y + RADIUS * 0.8);
            context.line_to(x - RADIUS, y + RADIUS * 0.8);
            context.close_path();
        }
        Lamp::Failed | Lamp::Succeeded => {
            context.rect(x - RADIUS + 0.5, y - RADIUS + 0.5, RADIUS * 2.0 - 1.0, RADIUS * 2.0 - 1.0)
        }
        Lamp::Unknown => {
            context.move_to(x, y - RADIUS);
            context.line_to(x + RADIUS, y);
            context.line_to(x, y + RADIUS);
            context.line_to(x - RADIUS, y);
            context.close_path();
        }
        _ => {
            // An arc about a finite centre with a positive radius cannot be refused.
            let _drawn = context.arc(x, y, RADIUS - 0.5, 0.0, std::f64::consts::TAU);
        }
    }
    match lamp {
        Lamp::Ready | Lamp::CrashLoop | Lamp::Failed | Lamp::Succeeded => context.fill(),
        Lamp::NotReadyYet | Lamp::NoLongerReady => {
            context.stroke();
            context.begin_path();
            let quarter = std::f64::consts::FRAC_PI_2;
            let _drawn = context.arc(x, y, RADIUS - 0.5, quarter, 3.0 * quarter);
            context.fill();
        }
        _ => context.stroke(),
    }
}
