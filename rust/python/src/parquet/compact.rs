//! Thrift's compact protocol, in which Parquet writes the heads of its pages and what stands at the end of a file.

/// The type of a field or of an item.
#[derive(Clone, Copy)]
pub(super) enum FieldType {
    False = 2,
    Byte = 3,
    Int16 = 4,
    Int32 = 5,
    Int64 = 6,
    Binary = 8,
    List = 9,
    Struct = 12,
}

/// Structures as bytes.
#[derive(Default)]
pub(super) struct Compact {
    pub(super) bytes: Vec<u8>,
    /// The field before, of the structure that is written.
    last: u8,
}

impl Compact {
    /// Writes the fields of a structure, in the order of their numbers, and its end.
    pub(super) fn structure(&mut self, fields: impl FnOnce(&mut Self)) {
        let outer = std::mem::take(&mut self.last);
        fields(self);
        self.bytes.push(0);
        self.last = outer;
    }

    /// A field of a number; `kind` says of how many bits.
    pub(super) fn number(&mut self, field: u8, kind: FieldType, value: i64) {
        self.field(field, kind);
        self.put_number(value);
    }

    /// A field of one byte.
    pub(super) fn byte(&mut self, field: u8, value: u8) {
        self.field(field, FieldType::Byte);
        self.bytes.push(value);
    }

    /// A field that is false.
    pub(super) fn no(&mut self, field: u8) {
        self.field(field, FieldType::False);
    }

    /// A field of bytes.
    pub(super) fn binary(&mut self, field: u8, value: &[u8]) {
        self.field(field, FieldType::Binary);
        self.put_binary(value);
    }

    /// A field that is a structure.
    pub(super) fn inner(&mut self, field: u8, fields: impl FnOnce(&mut Self)) {
        self.field(field, FieldType::Struct);
        self.structure(fields);
    }

    /// A field that is a list; `item` writes one of its items.
    pub(super) fn list<T>(
        &mut self,
        field: u8,
        kind: FieldType,
        items: impl ExactSizeIterator<Item = T>,
        mut item: impl FnMut(&mut Self, T),
    ) {
        self.field(field, FieldType::List);
        if let Ok(length @ ..15) = u8::try_from(items.len()) {
            self.bytes.push(length << 4 | kind as u8);
        } else {
            self.bytes.push(0xf0 | kind as u8);
            put_varint(&mut self.bytes, items.len() as u64);
        }
        items.for_each(|one| item(self, one));
    }

    /// An item that is a number.
    pub(super) fn put_number(&mut self, value: i64) {
        put_varint(&mut self.bytes, ((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    /// An item of bytes.
    pub(super) fn put_binary(&mut self, value: &[u8]) {
        put_varint(&mut self.bytes, value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    fn field(&mut self, field: u8, kind: FieldType) {
        self.bytes.push((field - self.last) << 4 | kind as u8);
        self.last = field;
    }
}

/// Seven bits in a byte, the lowest first; all bytes but the last have the highest bit.
pub(super) fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}
