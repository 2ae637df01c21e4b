//! Decryption of files that open without a password: their encryption restricts what a viewer may do (print, copy), and
//! every reader can read them.

use std::borrow::Cow;

use aes::{
    Aes128, Aes256,
    cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit, consts::U16},
};
use md5::Md5;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::object::{Dictionary, Object};

/// Fills a password up to 32 bytes (ISO 32000, algorithm 2).
const PADDING: [u8; 32] = [
    0x28, 0xbf, 0x4e, 0x5e, 0x4e, 0x75, 0x8a, 0x41, 0x64, 0x00, 0x4e, 0x56, 0xff, 0xfa, 0x01, 0x08,
    0x2e, 0x2e, 0x00, 0xb6, 0xd0, 0x68, 0x3e, 0x80, 0x2f, 0x0c, 0xa9, 0xfe, 0x64, 0x53, 0x69, 0x7a,
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Cipher {
    None,
    Rc4,
    Aes128,
    Aes256,
}

/// The key of a file.
#[derive(Debug)]
pub(super) struct Decryption {
    key: Vec<u8>,
    strings: Cipher,
    streams: Cipher,
}

impl Decryption {
    /// The key of the empty password; `None` if the file needs another, or has an unknown encryption.
    pub(super) fn new(encrypt: &Dictionary, id: &[u8]) -> Option<Self> {
        let number = |key: &[u8]| encrypt.get(key).and_then(Object::as_integer);
        let bytes = |key: &[u8]| encrypt.get(key).and_then(Object::as_bytes);
        if encrypt.get(b"Filter")?.as_name() != Some(b"Standard") {
            return None;
        }
        let (version, revision) = (number(b"V")?, number(b"R")?);
        let (strings, streams) = match version {
            1 | 2 => (Cipher::Rc4, Cipher::Rc4),
            4 | 5 => (method(encrypt, b"StrF")?, method(encrypt, b"StmF")?),
            _ => return None,
        };
        let (owner, user) = (bytes(b"O")?, bytes(b"U")?);
        let key = if version == 5 {
            modern(user, bytes(b"UE")?, &[], revision)
                .or_else(|| modern(owner, bytes(b"OE")?, user.get(..48)?, revision))?
        } else {
            let length = match version {
                1 => 40,
                4 => 128,
                _ => number(b"Length").unwrap_or(40),
            };
            let length = usize::try_from(length / 8).ok()?.clamp(5, 16);
            let metadata = !matches!(
                encrypt.get(b"EncryptMetadata"),
                Some(Object::Boolean(false))
            );
            let permissions = number(b"P")?.to_le_bytes();
            let start = [&PADDING, owner.get(..32)?, permissions.get(..4)?, id].concat();
            old(&start, user, id, revision, length, metadata)?
        };
        Some(Self {
            key,
            strings,
            streams,
        })
    }

    /// Decrypts the strings of an object.
    pub(super) fn strings(&self, object: &mut Object, id: (u32, u16)) {
        match object {
            Object::String(bytes) => *bytes = self.decrypt(bytes, id, self.strings),
            Object::Array(items) => items.iter_mut().for_each(|item| self.strings(item, id)),
            Object::Dictionary(dictionary) => {
                dictionary
                    .values_mut()
                    .for_each(|item| self.strings(item, id));
            }
            _ => {}
        }
    }

    /// Decrypts a stream, unless it names the filter `Identity`.
    pub(super) fn stream<'a>(
        &self,
        data: Cow<'a, [u8]>,
        id: (u32, u16),
        filter: Option<&[u8]>,
    ) -> Cow<'a, [u8]> {
        if filter == Some(b"Identity") || self.streams == Cipher::None {
            return data;
        }
        Cow::Owned(self.decrypt(&data, id, self.streams))
    }

    fn decrypt(&self, data: &[u8], (number, generation): (u32, u16), method: Cipher) -> Vec<u8> {
        let key = || {
            let [a, b, c, _] = number.to_le_bytes();
            let salt: &[u8] = if method == Cipher::Aes128 {
                b"sAlT"
            } else {
                b""
            };
            let id = [&[a, b, c], generation.to_le_bytes().as_slice(), salt].concat();
            let hash = Md5::digest([self.key.as_slice(), &id].concat());
            let length = (self.key.len() + 5).min(16);
            hash.iter().copied().take(length).collect::<Vec<u8>>()
        };
        match method {
            Cipher::None => data.to_vec(),
            Cipher::Rc4 => rc4(&key(), data),
            Cipher::Aes128 => aes::<Aes128>(&key(), data),
            Cipher::Aes256 => aes::<Aes256>(&self.key, data),
        }
    }
}

fn method(encrypt: &Dictionary, key: &[u8]) -> Option<Cipher> {
    let name = encrypt
        .get(key)
        .and_then(Object::as_name)
        .unwrap_or(b"Identity");
    if name == b"Identity" {
        return Some(Cipher::None);
    }
    let filter = encrypt
        .get(b"CF")?
        .as_dictionary()?
        .get(name)?
        .as_dictionary()?;
    match filter.get(b"CFM").and_then(Object::as_name)? {
        b"None" => Some(Cipher::None),
        b"V2" => Some(Cipher::Rc4),
        b"AESV2" => Some(Cipher::Aes128),
        b"AESV3" => Some(Cipher::Aes256),
        _ => None,
    }
}

/// Revisions 2 to 4: a chain of MD5.
fn old(
    start: &[u8],
    user: &[u8],
    id: &[u8],
    revision: i64,
    length: usize,
    metadata: bool,
) -> Option<Vec<u8>> {
    let mut hash = Md5::new();
    hash.update(start);
    if revision >= 4 && !metadata {
        hash.update([0xff; 4]);
    }
    let mut key = hash.finalize().to_vec();
    let length = if revision < 3 { 5 } else { length };
    key.truncate(length);
    if revision < 3 {
        return (rc4(&key, &PADDING) == user.get(..32)?).then_some(key);
    }
    for _ in 0..50 {
        key = Md5::digest(&key).to_vec();
        key.truncate(length);
    }
    let mut check = Md5::digest([&PADDING, id].concat()).to_vec();
    for round in 0..20_u8 {
        let key: Vec<u8> = key.iter().map(|byte| byte ^ round).collect();
        check = rc4(&key, &check);
    }
    (check == user.get(..16)?).then_some(key)
}

/// Revisions 5 and 6: SHA-2. The password of the owner is bound to that of the user.
fn modern(own: &[u8], packed: &[u8], bound: &[u8], revision: i64) -> Option<Vec<u8>> {
    let (check, salt, key_salt) = (own.get(..32)?, own.get(32..40)?, own.get(40..48)?);
    if hash(salt, bound, revision)? != check {
        return None;
    }
    let key = hash(key_salt, bound, revision)?;
    let cipher = Aes256::new_from_slice(&key).ok()?;
    Some(cbc(&cipher, &[0; 16], packed.get(..32)?))
}

fn hash(salt: &[u8], bound: &[u8], revision: i64) -> Option<Vec<u8>> {
    let mut key = Sha256::digest([salt, bound].concat()).to_vec();
    if revision < 6 {
        return Some(key);
    }
    let mut round = 0;
    loop {
        let mut block = Array::<u8, U16>::try_from(key.get(16..32)?).ok()?;
        let cipher = Aes128::new_from_slice(key.get(..16)?).ok()?;
        let mut data = [&key, bound].concat().repeat(64);
        for part in data.chunks_exact_mut(16) {
            part.iter()
                .zip(block.iter_mut())
                .for_each(|(from, to)| *to ^= from);
            cipher.encrypt_block(&mut block);
            part.copy_from_slice(&block);
        }
        // 256 is 1 more than a multiple of 3, so the sum of the bytes has the remainder of the number.
        let sum: u32 = data.iter().take(16).map(|byte| u32::from(*byte)).sum();
        key = match sum % 3 {
            0 => Sha256::digest(&data).to_vec(),
            1 => Sha384::digest(&data).to_vec(),
            _ => Sha512::digest(&data).to_vec(),
        };
        round += 1;
        if round >= 64
            && data
                .last()
                .is_some_and(|last| u32::from(*last) + 32 <= round)
        {
            key.truncate(32);
            return Some(key);
        }
    }
}

fn rc4(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut state: [u8; 256] = std::array::from_fn(|index| u8::try_from(index).unwrap_or_default());
    let mut j = 0_u8;
    for (i, key) in (0..256).zip(key.iter().cycle()) {
        j = j
            .wrapping_add(state.get(i).copied().unwrap_or_default())
            .wrapping_add(*key);
        state.swap(i, usize::from(j));
    }
    let (mut i, mut j) = (0_u8, 0_u8);
    let of =
        |state: &[u8; 256], index: u8| state.get(usize::from(index)).copied().unwrap_or_default();
    data.iter()
        .map(|byte| {
            i = i.wrapping_add(1);
            j = j.wrapping_add(of(&state, i));
            state.swap(usize::from(i), usize::from(j));
            byte ^ of(&state, of(&state, i).wrapping_add(of(&state, j)))
        })
        .collect()
}

/// Chained blocks after an initial one; the last block has the number of its bytes that are padding.
fn aes<C: KeyInit + BlockCipherDecrypt<BlockSize = U16>>(key: &[u8], data: &[u8]) -> Vec<u8> {
    let (Ok(cipher), Some((start, data))) = (C::new_from_slice(key), data.split_at_checked(16))
    else {
        return Vec::new();
    };
    let mut out = cbc(&cipher, start, data);
    let padding = out.last().copied().map_or(0, usize::from);
    if (1..=16).contains(&padding) {
        out.truncate(out.len().saturating_sub(padding));
    }
    out
}

fn cbc<C: BlockCipherDecrypt<BlockSize = U16>>(cipher: &C, start: &[u8], data: &[u8]) -> Vec<u8> {
    let mut before = start;
    let mut out = Vec::with_capacity(data.len());
    for part in data.chunks_exact(16) {
        let Ok(mut block) = Array::<u8, U16>::try_from(part) else {
            break;
        };
        cipher.decrypt_block(&mut block);
        out.extend(block.iter().zip(before).map(|(a, b)| a ^ b));
        before = part;
    }
    out
}
