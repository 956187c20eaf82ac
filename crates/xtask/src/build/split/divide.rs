//! Which function goes into which file, and the two files.

use anyhow::Context as _;
use wasm_encoder::reencode::Reencode as _;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, Function, FunctionSection,
    ImportSection, Instruction, Module, TypeSection, ValType,
};
use wasmparser::{ElementItems, ExternalKind, Operator};

use super::module::{FUNCTION_TABLE, Parts, Renumber, Rewrite};

/// The core's function that has the second file loaded and returns when it is there.
const FETCH: &str = "fetch_rest";
/// What the second file calls the first one in its imports.
const FIRST: &str = "core";

pub struct Divided {
    pub first: Vec<u8>,
    pub rest: Vec<u8>,
}

/// Where a function of the whole ends up.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    First,
    /// In the second file; nothing in the first one refers to it.
    Rest,
    /// In the second file, and the first one has a stub of it, which finds it at this place of the added slots.
    Stub(u32),
}

struct Plan<'a> {
    parts: Parts<'a>,
    /// By the number in the whole.
    places: Vec<Place>,
    stubs: u32,
    /// How long the table of functions was.
    slots: u32,
}

/// `ran` says of each function that is not imported whether it belongs into the first file.
pub fn divide(whole: &[u8], ran: &[bool]) -> anyhow::Result<Divided> {
    let plan = Plan::new(Parts::read(whole)?, ran)?;
    let (rest, needed) = plan.rest()?;
    let first = plan.first(&needed)?;
    Ok(Divided { first, rest })
}

impl<'a> Plan<'a> {
    fn new(parts: Parts<'a>, ran: &[bool]) -> anyhow::Result<Plan<'a>> {
        let imported = parts.imported_functions as usize;
        let mut places = vec![Place::First; imported];
        places.extend(ran.iter().map(|ran| if *ran { Place::First } else { Place::Rest }));

        // What fetches the second file cannot be in it.
        let mut needed = vec![parts.exported(FETCH)?];
        while let Some(function) = needed.pop() {
            places[function as usize] = Place::First;
            needed
                .extend(parts.callees(function)?.into_iter().filter(|callee| places[*callee as usize] == Place::Rest));
        }

        let slots = parts.tables.clone().into_iter().next().context("no table of functions")??.ty.initial;
        let mut plan = Plan { parts, places, stubs: 0, slots: u32::try_from(slots)? };
        for function in plan.referred()? {
            if plan.places[function as usize] == Place::Rest {
                plan.places[function as usize] = Place::Stub(plan.stubs);
                plan.stubs += 1;
            }
        }
        Ok(plan)
    }

    fn numbers(&self) -> impl Iterator<Item = (u32, Place)> {
        self.places.iter().enumerate().map(|(number, place)| (number as u32, *place))
    }

    /// Whatever the first file calls by name, has in its table, or lets JavaScript call.
    fn referred(&self) -> anyhow::Result<Vec<u32>> {
        let mut referred = Vec::new();
        for (number, place) in self.numbers() {
            if place == Place::First {
                referred.extend(self.parts.callees(number)?);
            }
        }
        for export in self.parts.exports.clone() {
            let export = export?;
            if export.kind == ExternalKind::Func {
                referred.push(export.index);
            }
        }
        for segment in self.parts.elements.clone() {
            match segment?.items {
                ElementItems::Functions(functions) => {
                    for function in functions {
                        referred.push(function?);
                    }
                }
                ElementItems::Expressions(_, expressions) => {
                    for expression in expressions {
                        for operator in expression?.get_operators_reader() {
                            if let Operator::RefFunc { function_index } = operator? {
                                referred.push(function_index);
                            }
                        }
                    }
                }
            }
        }
        referred.extend(self.parts.start);
        Ok(referred)
    }

    /// The file that is there from the start. It lets the second one see the functions that are `needed` there.
    fn first(&self, needed: &[u32]) -> anyhow::Result<Vec<u8>> {
        let mut next = 0;
        let functions = self.places.iter().map(|place| {
            (*place != Place::Rest).then(|| {
                next += 1;
                next - 1
            })
        });
        let mut renumber = Renumber { functions: functions.collect() };
        let find_slot = next;
        let is_here = self.parts.globals.count();
        let find_slot_type: u32 =
            self.parts.types.clone().into_iter().map(|group| group.map_or(0, |group| group.types().len() as u32)).sum();

        let mut functions = Vec::new();
        for (number, place) in self.numbers().skip(self.parts.imported_functions as usize) {
            let of = self.parts.function_types[number as usize];
            match place {
                Place::First => {
                    let body = self.parts.body(number).context("a function without a body")?;
                    functions.push((of, renumber.function(body, &[])?));
                }
                Place::Stub(slot) => functions.push((of, self.stub(number, slot, find_slot)?)),
                Place::Rest => {}
            }
        }
        let fetch = renumber.function_index(self.parts.exported(FETCH)?)?;
        functions.push((find_slot_type, self.find_slot(is_here, fetch)));

        let mut added_exports = self.shared();
        for function in needed {
            added_exports.push((function_name(*function), ExportKind::Func, renumber.function_index(*function)?));
        }
        Rewrite {
            renumber,
            functions,
            added_type: Some((vec![ValType::I32], vec![ValType::I32])),
            added_globals: 1,
            added_exports,
            added_slots: self.stubs,
        }
        .write(&self.parts)
    }

    /// Calls the function in the second file through the table.
    fn stub(&self, number: u32, slot: u32, find_slot: u32) -> anyhow::Result<Function> {
        let mut stub = Function::new([]);
        for parameter in 0..self.parts.parameters(number)? {
            stub.instruction(&Instruction::LocalGet(u32::try_from(parameter)?));
        }
        let type_index = self.parts.function_types[number as usize];
        stub.instructions()
            .i32_const(i32::try_from(slot)?)
            .call(find_slot)
            .call_indirect(FUNCTION_TABLE, type_index)
            .end();
        Ok(stub)
    }

    /// From an added slot's number to its place in the table, once there is something in it.
    fn find_slot(&self, is_here: u32, fetch: u32) -> Function {
        let mut function = Function::new([]);
        function
            .instructions()
            .global_get(is_here)
            .i32_eqz()
            .if_(BlockType::Empty)
            .call(fetch)
            .i32_const(1)
            .global_set(is_here)
            .end()
            .local_get(0)
            .i32_const(self.slots as i32)
            .i32_add()
            .end();
        function
    }

    /// Tables, memories and variables, which both files use.
    fn shared(&self) -> Vec<(String, ExportKind, u32)> {
        let all = |prefix: &'static str, kind: ExportKind, count: u32| {
            (0..count).map(move |number| (format!("{prefix}{number}"), kind, number))
        };
        all("t", ExportKind::Table, self.parts.tables.count())
            .chain(all("m", ExportKind::Memory, self.parts.memories.count()))
            .chain(all("g", ExportKind::Global, self.parts.globals.count()))
            .collect()
    }

    /// The second file, and the functions of the first one that it calls.
    fn rest(&self) -> anyhow::Result<(Vec<u8>, Vec<u32>)> {
        let moved: Vec<u32> =
            self.numbers().filter(|(_, place)| *place != Place::First).map(|(number, _)| number).collect();
        let mut needed = Vec::new();
        for function in &moved {
            needed.extend(self.parts.callees(*function)?);
        }
        needed.retain(|function| self.places[*function as usize] == Place::First);
        needed.sort_unstable();
        needed.dedup();

        let mut renumber = Renumber { functions: vec![None; self.places.len()] };
        for (new, old) in needed.iter().chain(&moved).enumerate() {
            renumber.functions[*old as usize] = Some(u32::try_from(new)?);
        }
        let mut module = Module::new();
        let mut types = TypeSection::new();
        renumber.parse_type_section(&mut types, self.parts.types.clone())?;
        module.section(&types);
        module.section(&self.imports_of_rest(&mut renumber, &needed)?);

        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        let mut stubbed = vec![0; self.stubs as usize];
        for number in moved {
            functions.function(self.parts.function_types[number as usize]);
            code.function(&renumber.function(self.parts.body(number).context("a function without a body")?, &[])?);
            if let Place::Stub(slot) = self.places[number as usize] {
                stubbed[slot as usize] = renumber.function_index(number)?;
            }
        }
        module.section(&functions);
        let mut elements = ElementSection::new();
        let from = ConstExpr::i32_const(self.slots as i32);
        elements.active(None, &from, Elements::Functions(stubbed.into()));
        module.section(&elements);
        module.section(&code);
        Ok((module.finish(), needed))
    }

    fn imports_of_rest(&self, renumber: &mut Renumber, needed: &[u32]) -> anyhow::Result<ImportSection> {
        let mut imports = ImportSection::new();
        for function in needed {
            let of = EntityType::Function(self.parts.function_types[*function as usize]);
            imports.import(FIRST, &function_name(*function), of);
        }
        for (number, table) in self.parts.tables.clone().into_iter().enumerate() {
            let mut table = renumber.table_type(table?.ty)?;
            if number as u32 == FUNCTION_TABLE {
                table.minimum += u64::from(self.stubs);
                table.maximum = table.maximum.map(|most| most + u64::from(self.stubs));
            }
            imports.import(FIRST, &format!("t{number}"), table);
        }
        for (number, memory) in self.parts.memories.clone().into_iter().enumerate() {
            imports.import(FIRST, &format!("m{number}"), renumber.memory_type(memory?)?);
        }
        for (number, global) in self.parts.globals.clone().into_iter().enumerate() {
            imports.import(FIRST, &format!("g{number}"), renumber.global_type(global?.ty)?);
        }
        Ok(imports)
    }
}

fn function_name(number: u32) -> String {
    format!("f{number}")
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        ConstExpr, DataSection, ExportSection, GlobalSection, GlobalType, MemorySection, MemoryType, RefType,
        TableSection, TableType,
    };
    use wasmparser::{Parser, Payload, Validator};

    use super::*;

    /// Functions 0 `imported`, 1 `fetch_rest`, 2 `main` which calls 3 `rare`, which calls 4 `rarer` and 5 `common`.
    fn whole() -> Vec<u8> {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        module.section(&types);
        let mut imports = ImportSection::new();
        imports.import("js", "imported", EntityType::Function(0));
        module.section(&imports);
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for callees in [&[0][..], &[3], &[4, 5], &[], &[0]] {
            functions.function(0);
            let mut function = Function::new([]);
            for callee in callees {
                function.instruction(&Instruction::Call(*callee));
            }
            function.instruction(&Instruction::End);
            code.function(&function);
        }
        module.section(&functions);
        let mut tables = TableSection::new();
        let (minimum, maximum) = (2, Some(2));
        tables.table(TableType { element_type: RefType::FUNCREF, minimum, maximum, table64: false, shared: false });
        module.section(&tables);
        let mut memories = MemorySection::new();
        memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
        module.section(&memories);
        let mut globals = GlobalSection::new();
        let stack = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(stack, &ConstExpr::i32_const(1024));
        module.section(&globals);
        let mut exports = ExportSection::new();
        exports.export(FETCH, ExportKind::Func, 1).export("main", ExportKind::Func, 2);
        module.section(&exports);
        let mut elements = ElementSection::new();
        elements.active(None, &ConstExpr::i32_const(1), Elements::Functions(vec![5].into()));
        module.section(&elements);
        module.section(&code);
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(0), *b"text");
        module.section(&data);
        module.finish()
    }

    /// How many functions a file holds, and the names of what it imports.
    fn outline(file: &[u8]) -> (u32, Vec<String>) {
        Validator::new().validate_all(file).expect("a valid file");
        let (mut held, mut imported) = (0, Vec::new());
        for payload in Parser::new(0).parse_all(file) {
            match payload.expect("a section") {
                Payload::FunctionSection(section) => held = section.count(),
                Payload::ImportSection(section) => {
                    imported.extend(section.into_imports().map(|import| import.expect("an import").name.to_owned()));
                }
                _ => {}
            }
        }
        (held, imported)
    }

    #[test]
    fn what_did_not_run_moves_and_leaves_a_stub_where_it_is_called() {
        let ran = [false, true, false, false, true];
        let divided = divide(&whole(), &ran).expect("it can be divided");
        // fetch_rest, main, common, the stub of rare, and what finds its place.
        assert_eq!(outline(&divided.first), (5, vec!["imported".to_owned()]));
        let shared = ["f5", "t0", "m0", "g0"].map(str::to_owned).to_vec();
        assert_eq!(outline(&divided.rest), (2, shared));
    }

    #[test]
    fn what_loads_the_second_file_stays_even_if_it_did_not_run() {
        let divided = divide(&whole(), &[false; 5]).expect("it can be divided");
        // fetch_rest, stubs of main (exported) and common (in the table), and what finds their places.
        assert_eq!(outline(&divided.first).0, 4);
        assert_eq!(outline(&divided.rest).0, 4);
    }
}
