//! The types of lookup tables.

/// All types that there are drivers of, in order, as `postconf -m` lists them.
pub const TABLE_TYPES: [&str; 21] = [
    "btree",
    "cdb",
    "cidr",
    "debug",
    "environ",
    "fail",
    "hash",
    "inline",
    "internal",
    "lmdb",
    "pcre",
    "pipemap",
    "proxy",
    "randmap",
    "regexp",
    "socketmap",
    "static",
    "tcp",
    "texthash",
    "unionmap",
    "unix",
];
