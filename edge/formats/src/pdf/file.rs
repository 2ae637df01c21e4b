//! A PDF file: its objects, read on demand and kept, its pages and its streams.

use std::{
    borrow::Cow,
    cell::Cell,
    collections::{HashMap, HashSet},
};

use super::{
    crypt::Decryption,
    filter::{self, FilterError, MAX_FILTERS},
    object::{Dictionary, Object, Stream},
    parse::{ParseBudget, Parser},
    xref::{self, ObjectLocation, ObjectSlot, ObjectStream, XrefTable},
};
use crate::{Unreadable, limits};

/// Most references that lead to one another.
const MAX_HOPS: usize = 16;

/// A PDF file.
pub(super) struct Pdf<'a> {
    bytes: &'a [u8],
    pub(super) trailer: Dictionary,
    objects: HashMap<u32, ObjectSlot>,
    crypt: Option<Decryption>,
    budget: ParseBudget,
    /// Whether the objects were found by a scan, and whether a needed object was missing then.
    scanned: bool,
    lost: Cell<bool>,
}

/// A placeholder of a missing page, so that the others keep their numbers.
static NO_PAGE: Dictionary = Dictionary::empty();

impl<'a> Pdf<'a> {
    /// Reads the locations of the objects, but not the objects.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        // Offsets count from the header, before which some mail programs and servers add bytes.
        let head = bytes.get(..bytes.len().min(1_024)).unwrap_or(bytes);
        let start = super::parse::find(head, b"%PDF-").unwrap_or(0);
        let bytes = bytes.get(start..).unwrap_or_default();
        let budget = ParseBudget::new();
        let mut pdf = Self {
            bytes,
            trailer: Dictionary::default(),
            objects: HashMap::new(),
            crypt: None,
            budget,
            scanned: false,
            lost: Cell::new(false),
        };
        if let Some(mut table) = xref::read(bytes, &pdf.budget) {
            pdf.repair(&mut table);
            pdf.adopt(table)?;
        }
        if pdf.pages().is_empty() && !pdf.budget.is_exhausted() {
            pdf.scanned = true;
            let mut table = xref::scan(bytes, &pdf.budget);
            let streams = std::mem::take(&mut table.streams);
            pdf.adopt(table)?;
            pdf.unfold(streams);
            pdf.lost.set(false);
        }
        pdf.check()?;
        Ok(pdf)
    }

    /// Fails if a needed part could not be read.
    pub(super) fn check(&self) -> Result<(), Unreadable> {
        if self.budget.is_exhausted() {
            return Err(super::too_large());
        }
        // The text of a truncated file would lack words.
        if self.scanned && self.lost.get() {
            return Err(super::broken());
        }
        Ok(())
    }

    /// Counts values that are made of the file and kept.
    pub(super) fn keep(&self, count: usize) -> bool {
        self.budget.values(count)
    }

    /// Counts bytes that are searched once more.
    pub(super) fn look(&self, count: usize) -> bool {
        self.budget.bytes(count)
    }

    /// Finds the objects that are not where the table says.
    fn repair(&self, table: &mut XrefTable) {
        let wrong: Vec<u32> = table
            .places
            .iter()
            .filter(|(number, slot)| match &slot.place {
                ObjectLocation::At(at) => !xref::is_at(self.bytes, *at, **number, &self.budget),
                _ => false,
            })
            .map(|(number, _)| *number)
            .collect();
        if wrong.is_empty() {
            return;
        }
        let mut found = xref::scan(self.bytes, &self.budget).places;
        for number in wrong {
            let slot = found
                .remove(&number)
                .unwrap_or_else(|| ObjectLocation::Free.into());
            table.places.insert(number, slot);
        }
    }

    fn adopt(&mut self, table: XrefTable) -> Result<(), Unreadable> {
        self.trailer = table.trailer;
        self.crypt = None;
        self.objects = table.places;
        // The encryption dictionary itself is not encrypted.
        if let Some(encrypt) = self.trailer.get(b"Encrypt") {
            let mut whole = Object::default();
            if let Object::Reference(number) = encrypt {
                whole = self.plain(*number).unwrap_or_default();
                self.inline(&mut whole, 0);
            }
            let encrypt = match &whole {
                Object::Null => encrypt,
                whole => whole,
            };
            let id = self
                .trailer
                .get(b"ID")
                .map(|id| self.resolve(id))
                .and_then(|id| id.as_array()?.first()?.as_bytes())
                .unwrap_or_default();
            let crypt = encrypt
                .as_dictionary()
                .and_then(|encrypt| Decryption::new(encrypt, id));
            self.crypt = Some(crypt.ok_or_else(super::encrypted)?);
            // Objects that were read before the key was known are read again.
            for slot in self.objects.values_mut() {
                slot.object.take();
                slot.pack.take();
            }
        }
        Ok(())
    }

    /// Replaces the references of a dictionary by their values.
    fn inline(&self, object: &mut Object, depth: usize) {
        if let Object::Reference(number) = object {
            *object = self.plain(*number).unwrap_or_default();
        }
        if let (Object::Dictionary(dictionary), ..3) = (object, depth) {
            for value in dictionary.values_mut() {
                self.inline(value, depth + 1);
            }
        }
    }

    /// Finds the objects in streams that no table lists; the last of a number counts.
    fn unfold(&mut self, streams: Vec<u32>) {
        let at = |pdf: &Self, number| match pdf.objects.get(&number) {
            Some(ObjectSlot {
                place: ObjectLocation::At(at),
                ..
            }) => Some(*at),
            _ => None,
        };
        for stream in streams {
            let Some(own) = at(self, stream) else {
                continue;
            };
            let pack = self.unfolded(stream).unwrap_or_default();
            for (index, (number, _)) in pack.places.iter().enumerate() {
                if at(self, *number).is_none_or(|other| other < own)
                    && self.objects.len() < limits::MAX_PDF_OBJECTS
                {
                    let place = ObjectLocation::Packed { stream, index };
                    self.objects.insert(*number, place.into());
                }
            }
            if let Some(slot) = self.objects.get(&stream) {
                let _ = slot.pack.set(Box::new(pack));
            }
        }
    }

    /// The object of a number.
    fn object(&self, number: u32) -> &Object {
        let Some(slot) = self.objects.get(&number) else {
            self.lost.set(true);
            return &Object::Null;
        };
        if let Some(object) = slot.object.get() {
            return object;
        }
        let object = match slot.place {
            ObjectLocation::Free => None,
            ObjectLocation::At(at) => self.at(at, number),
            ObjectLocation::Packed { stream, index } => self.packed(stream, index, number),
        };
        // The recursion cannot have filled this object: an object in the file is parsed without following references
        // except numbers, and an object in a stream asks only for objects in the file.
        let _ = slot.object.set(object.unwrap_or_default());
        slot.object.get().unwrap_or(&Object::Null)
    }

    /// The object at a byte of the file, not decrypted.
    fn plain(&self, number: u32) -> Option<Object> {
        match self.objects.get(&number) {
            Some(ObjectSlot {
                place: ObjectLocation::At(at),
                ..
            }) => self.raw(*at, number),
            _ => None,
        }
    }

    fn raw(&self, at: usize, number: u32) -> Option<Object> {
        let mut parser = Parser::new(self.bytes, at, &self.budget);
        let (id, object) = parser.object(|dictionary| match dictionary.get(b"Length")? {
            Object::Reference(number) => self.length(*number),
            length => usize::try_from(length.as_integer()?).ok(),
        })?;
        let end = object
            .as_stream()
            .map_or(parser.lexer.at, |stream| stream.end);
        if end >= self.bytes.len() {
            self.lost.set(true);
        }
        (id.0 == number).then_some(object)
    }

    /// A length that is a reference. Only a number is accepted there, so references cannot form a circle.
    fn length(&self, number: u32) -> Option<usize> {
        let Some(ObjectSlot {
            place: ObjectLocation::At(at),
            ..
        }) = self.objects.get(&number)
        else {
            return None;
        };
        let mut parser = Parser::new(self.bytes, *at, &self.budget);
        parser.head().filter(|(found, _)| *found == number)?;
        usize::try_from(parser.unsigned()?).ok()
    }

    fn at(&self, at: usize, number: u32) -> Option<Object> {
        let mut object = self.raw(at, number)?;
        if let Some(crypt) = &self.crypt {
            let generation = Parser::new(self.bytes, at, &self.budget).head()?.1;
            crypt.strings(&mut object, (number, generation));
        }
        Some(object)
    }

    fn packed(&self, stream: u32, index: usize, number: u32) -> Option<Object> {
        let cell = &self.objects.get(&stream)?.pack;
        if cell.get().is_none() {
            let _ = cell.set(Box::new(self.unfolded(stream).unwrap_or_default()));
        }
        let pack = cell.get()?;
        let place = pack
            .places
            .get(index)
            .filter(|(found, _)| *found == number)
            .or_else(|| pack.places.iter().find(|(found, _)| *found == number));
        Parser::new(&pack.data, place?.1, &self.budget).value()
    }

    /// Unpacks a stream of objects. The stream must be directly in the file, and so must every object that it needs.
    fn unfolded(&self, number: u32) -> Option<ObjectStream> {
        let Some(Object::Stream(stream)) = self.plain(number) else {
            return None;
        };
        let (filters, params) = filter::direct(&stream.dictionary);
        let data = self.unpack_with(&stream, &filters, &params, limits::MAX_PAGE_BYTES);
        let data = data.ok()?.into_owned();
        let entry = |key: &[u8]| {
            let value = stream.dictionary.get(key)?.as_integer()?;
            usize::try_from(value).ok()
        };
        let (count, first) = (entry(b"N")?, entry(b"First")?);
        let mut parser = Parser::new(&data, 0, &self.budget);
        let mut places = Vec::new();
        while places.len() < count.min(limits::MAX_PDF_OBJECTS) {
            let (Some(number), Some(at)) = (parser.unsigned(), parser.unsigned()) else {
                break;
            };
            let (Ok(number), Ok(at)) = (u32::try_from(number), usize::try_from(at)) else {
                break;
            };
            if !self.budget.values(1) {
                break;
            }
            places.push((number, first.saturating_add(at)));
        }
        Some(ObjectStream { data, places })
    }

    /// The value of an object: of a reference, the value that it leads to.
    pub(super) fn resolve<'b>(&'b self, object: &'b Object) -> &'b Object {
        let mut object = object;
        for _ in 0..MAX_HOPS {
            let Object::Reference(number) = object else {
                return object;
            };
            object = self.object(*number);
        }
        &Object::Null
    }

    /// The value of an entry of a dictionary, references followed.
    pub(super) fn entry<'b>(
        &'b self,
        dictionary: &'b Dictionary,
        key: &[u8],
    ) -> Option<&'b Object> {
        match self.resolve(dictionary.get(key)?) {
            Object::Null => None,
            object => Some(object),
        }
    }

    /// The dictionary of the document.
    pub(super) fn catalog(&self) -> Option<&Dictionary> {
        self.entry(&self.trailer, b"Root")?.as_dictionary()
    }

    /// The pages in order; one more than may be read at most.
    pub(super) fn pages(&self) -> Vec<&Dictionary> {
        let mut pages = Vec::new();
        let mut seen = HashSet::new();
        let root = self.catalog().and_then(|catalog| catalog.get(b"Pages"));
        let mut open: Vec<&Object> = root.into_iter().collect();
        while let Some(object) = open.pop() {
            let Some(node) = self.resolve(object).as_dictionary() else {
                if matches!(object, Object::Reference(_)) && !seen.is_empty() {
                    pages.push(&NO_PAGE);
                }
                continue;
            };
            let name = self.entry(node, b"Type").and_then(Object::as_name);
            let kids = self.entry(node, b"Kids").and_then(Object::as_array);
            match (name, kids) {
                (Some(b"Page"), _) | (_, None) => pages.push(node),
                (_, Some(kids)) => {
                    // A node that contains itself is read once.
                    if seen.insert(std::ptr::from_ref(node).addr()) {
                        open.extend(kids.iter().rev());
                    }
                }
            }
            if pages.len() > limits::MAX_PAGES {
                break;
            }
        }
        pages
    }

    /// The unpacked bytes of a stream; an error if they are more than `limit`.
    pub(super) fn unpack(
        &self,
        stream: &Stream,
        limit: usize,
    ) -> Result<Cow<'a, [u8]>, FilterError> {
        let list = |keys: [&[u8]; 2]| {
            let [key, short] = keys;
            let value = self
                .entry(&stream.dictionary, key)
                .or_else(|| self.entry(&stream.dictionary, short));
            match value {
                Some(Object::Array(items)) => items
                    .iter()
                    .take(MAX_FILTERS + 1)
                    .map(|item| self.resolve(item))
                    .collect(),
                Some(item) => vec![item],
                None => Vec::new(),
            }
        };
        let filters: Vec<&[u8]> = list([b"Filter", b"F"])
            .into_iter()
            .map(|name| name.as_name().unwrap_or_default())
            .collect();
        let params: Vec<_> = list([b"DecodeParms", b"DP"])
            .into_iter()
            .map(Object::as_dictionary)
            .collect();
        self.unpack_with(stream, &filters, &params, limit)
    }

    fn unpack_with(
        &self,
        stream: &Stream,
        filters: &[&[u8]],
        params: &[Option<&Dictionary>],
        limit: usize,
    ) -> Result<Cow<'a, [u8]>, FilterError> {
        let data = self.bytes.get(stream.start..stream.end);
        let mut data = Cow::Borrowed(data.unwrap_or_default());
        if let Some(crypt) = &self.crypt {
            let own = filters.first() == Some(&b"Crypt".as_slice());
            let filter = own.then(|| {
                let params = params.first().copied().flatten();
                let name = params.and_then(|params| params.get(b"Name")?.as_name());
                name.unwrap_or(b"Identity")
            });
            data = crypt.stream(data, stream.id, filter);
        }
        let unpacked = filter::unpack(data, filters, params, limit);
        let count = unpacked.as_ref().map_or(0, |data| data.len());
        if unpacked == Err(FilterError::TooLarge) || !self.budget.unpacked(count) {
            self.budget.exhaust();
            return Err(FilterError::TooLarge);
        }
        unpacked
    }
}
