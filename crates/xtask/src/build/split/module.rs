//! A WebAssembly file as the splitter sees it.

use anyhow::{Context as _, bail};
use wasm_encoder::reencode::Reencode;
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction, MemorySection, Module, StartSection,
    TableSection, TypeSection, ValType,
};
use wasmparser::{
    CompositeInnerType, DataSectionReader, ElementSectionReader, ExportSectionReader, ExternalKind, FunctionBody,
    GlobalSectionReader, ImportSectionReader, MemorySectionReader, Operator, Parser, Payload, TableSectionReader,
    TypeRef, TypeSectionReader,
};

/// The table that indirect calls go through; the other one that wasm-bindgen makes holds JavaScript's objects.
pub const FUNCTION_TABLE: u32 = 0;

/// The sections of a file as the linker and wasm-bindgen write it, undecoded where they are only carried over.
pub struct Parts<'a> {
    pub types: TypeSectionReader<'a>,
    pub imports: ImportSectionReader<'a>,
    pub tables: TableSectionReader<'a>,
    pub memories: MemorySectionReader<'a>,
    pub globals: GlobalSectionReader<'a>,
    pub exports: ExportSectionReader<'a>,
    pub elements: ElementSectionReader<'a>,
    pub data: DataSectionReader<'a>,
    pub data_count: Option<u32>,
    pub start: Option<u32>,
    pub bodies: Vec<FunctionBody<'a>>,
    /// The type of every function, imported ones first.
    pub function_types: Vec<u32>,
    pub imported_functions: u32,
}

impl<'a> Parts<'a> {
    pub fn read(file: &'a [u8]) -> anyhow::Result<Parts<'a>> {
        let (mut types, mut imports, mut tables, mut memories) = (None, None, None, None);
        let (mut globals, mut exports, mut elements, mut data) = (None, None, None, None);
        let (mut start, mut data_count, mut bodies, mut defined) = (None, None, Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(file) {
            match payload? {
                Payload::TypeSection(section) => types = Some(section),
                Payload::ImportSection(section) => imports = Some(section),
                Payload::FunctionSection(section) => defined = section.into_iter().collect::<Result<_, _>>()?,
                Payload::TableSection(section) => tables = Some(section),
                Payload::MemorySection(section) => memories = Some(section),
                Payload::GlobalSection(section) => globals = Some(section),
                Payload::ExportSection(section) => exports = Some(section),
                Payload::ElementSection(section) => elements = Some(section),
                Payload::DataSection(section) => data = Some(section),
                Payload::DataCountSection { count, .. } => data_count = Some(count),
                Payload::StartSection { func, .. } => start = Some(func),
                Payload::CodeSectionEntry(body) => bodies.push(body),
                Payload::TagSection(_) => bail!("a file with exceptions cannot be divided"),
                _ => {}
            }
        }
        let imports: ImportSectionReader = imports.context("no imports")?;
        let mut function_types = Vec::new();
        for import in imports.clone().into_imports() {
            match import?.ty {
                TypeRef::Func(of) => function_types.push(of),
                _ => bail!("a file that imports more than functions cannot be divided"),
            }
        }
        let imported_functions = u32::try_from(function_types.len())?;
        function_types.extend::<Vec<u32>>(defined);
        Ok(Parts {
            types: types.context("no types")?,
            imports,
            tables: tables.context("no tables")?,
            memories: memories.context("no memory")?,
            globals: globals.context("no globals")?,
            exports: exports.context("no exports")?,
            elements: elements.context("no elements")?,
            data: data.context("no data")?,
            data_count,
            start,
            bodies,
            function_types,
            imported_functions,
        })
    }

    /// The body of a function that is not imported.
    pub fn body(&self, function: u32) -> Option<&FunctionBody<'a>> {
        self.bodies.get(function.checked_sub(self.imported_functions)? as usize)
    }

    /// The functions that this one calls by name or takes a reference to.
    pub fn callees(&self, function: u32) -> anyhow::Result<Vec<u32>> {
        let Some(body) = self.body(function) else { return Ok(Vec::new()) };
        let mut callees = Vec::new();
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                    callees.push(function_index);
                }
                Operator::RefFunc { .. } => {
                    bail!("a function refers to another one, which the splitter does not carry over")
                }
                _ => {}
            }
        }
        Ok(callees)
    }

    pub fn parameters(&self, function: u32) -> anyhow::Result<usize> {
        let wanted = self.function_types[function as usize] as usize;
        let group = self.types.clone().into_iter().nth(wanted).context("a function without a type")??;
        match group.types().next().map(|of| &of.composite_type.inner) {
            Some(CompositeInnerType::Func(of)) => Ok(of.params().len()),
            _ => bail!("a function's type is none of a function"),
        }
    }

    /// The function that carries this name for JavaScript.
    pub fn exported(&self, name: &str) -> anyhow::Result<u32> {
        for export in self.exports.clone() {
            let export = export?;
            if export.kind == ExternalKind::Func && export.name == name {
                return Ok(export.index);
            }
        }
        bail!("the core exports no function {name}")
    }
}

/// A file like the one read, but for its functions and for what is added.
pub struct Rewrite {
    pub renumber: Renumber,
    /// All that are not imported, with the numbers of their types.
    pub functions: Vec<(u32, Function)>,
    /// A type that comes after the ones there are.
    pub added_type: Option<(Vec<ValType>, Vec<ValType>)>,
    /// Variables, 32 bits wide and 0 at first, that come after the ones there are.
    pub added_globals: u32,
    pub added_exports: Vec<(String, ExportKind, u32)>,
    /// More places in the table of functions, at its end.
    pub added_slots: u32,
}

impl Rewrite {
    pub fn write(mut self, parts: &Parts) -> anyhow::Result<Vec<u8>> {
        let renumber = &mut self.renumber;
        let mut module = Module::new();

        let mut types = TypeSection::new();
        renumber.parse_type_section(&mut types, parts.types.clone())?;
        if let Some((parameters, results)) = self.added_type {
            types.ty().function(parameters, results);
        }
        module.section(&types);

        let mut imports = ImportSection::new();
        renumber.parse_import_section(&mut imports, parts.imports.clone())?;
        module.section(&imports);

        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        for (of, function) in &self.functions {
            functions.function(*of);
            code.function(function);
        }
        module.section(&functions);

        let mut tables = TableSection::new();
        for (number, table) in parts.tables.clone().into_iter().enumerate() {
            let mut table = renumber.table_type(table?.ty)?;
            if number as u32 == FUNCTION_TABLE {
                let more = u64::from(self.added_slots);
                table.minimum += more;
                table.maximum = table.maximum.map(|most| most + more);
            }
            tables.table(table);
        }
        module.section(&tables);

        let mut memories = MemorySection::new();
        renumber.parse_memory_section(&mut memories, parts.memories.clone())?;
        module.section(&memories);

        let mut globals = GlobalSection::new();
        renumber.parse_global_section(&mut globals, parts.globals.clone())?;
        for _ in 0..self.added_globals {
            let variable = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
            globals.global(variable, &ConstExpr::i32_const(0));
        }
        module.section(&globals);

        let mut exports = ExportSection::new();
        renumber.parse_export_section(&mut exports, parts.exports.clone())?;
        for (name, kind, number) in &self.added_exports {
            exports.export(name, *kind, *number);
        }
        module.section(&exports);

        if let Some(start) = parts.start {
            module.section(&StartSection { function_index: renumber.function_index(start)? });
        }
        let mut elements = ElementSection::new();
        renumber.parse_element_section(&mut elements, parts.elements.clone())?;
        module.section(&elements);
        if let Some(count) = parts.data_count {
            module.section(&DataCountSection { count });
        }
        module.section(&code);
        let mut data = DataSection::new();
        renumber.parse_data_section(&mut data, parts.data.clone())?;
        module.section(&data);
        Ok(module.finish())
    }
}

/// Gives functions other numbers and leaves all else as it is.
pub struct Renumber {
    /// By the old number; `None` where nothing may refer to the function any more.
    pub functions: Vec<Option<u32>>,
}

#[derive(Debug, thiserror::Error)]
#[error("function {0} is referred to and not there")]
pub struct Gone(u32);

impl Reencode for Renumber {
    type Error = Gone;

    fn function_index(&mut self, function: u32) -> Result<u32, wasm_encoder::reencode::Error<Gone>> {
        let new = self.functions.get(function as usize).copied().flatten();
        new.ok_or(wasm_encoder::reencode::Error::UserError(Gone(function)))
    }
}

impl Renumber {
    /// Everything stays where it is.
    pub fn nothing(functions: usize) -> Renumber {
        Renumber { functions: (0..functions as u32).map(Some).collect() }
    }

    /// A function under the new numbers, with `before` in front of its own instructions.
    pub fn function(&mut self, body: &FunctionBody, before: &[Instruction]) -> anyhow::Result<Function> {
        let mut function = self.new_function_with_parsed_locals(body)?;
        for instruction in before {
            function.instruction(instruction);
        }
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            function.instruction(&self.instruction(operators.read()?)?);
        }
        Ok(function)
    }
}
