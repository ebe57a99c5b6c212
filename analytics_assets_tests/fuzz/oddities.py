"""Values nobody expects, as JSON text; some are no JSON."""

NUMBERS = (
    *("-1", "0", "1", "2147483648", "9007199254740993", "9223372036854775807", "9223372036854775808"),
    *("-9223372036854775809", "1" + "0" * 30, "1" + "0" * 400, "5.0", "9007199254740993.0", "0.5", "1.5", "-0", "-0.0"),
    *("1e2", "1E+2", "1e-7", "1e308", "1e400", "-1e999999999", "1e999999999", "1e-999999999", "123456789.123456789"),
    *("0.1234567890125", "0.0000000005", "0.0000000015", "99999999999999999999999999999.5", "1772323200"),
    *("1772323200000", "01", "+1", ".5", "1.", "NaN", "Infinity", "-Infinity"),
)
# Around the largest number that money has room for, and what a reader may wrap round into another one.
EDGES = (
    *("99999999999999999999999999999", "1e29", "3.5e29", "350000000000000000000000000000", "-3.5e29", "1e30"),
    *("170141183460469231731687303715.9", "9223372036854775807", "9223372036854775808", "4.5e18"),
)
TEXTS = (
    *('""', '" "', '"null"', '"NULL"', '"true"', '"False"', '"nan"', '"inf"', '"-Infinity"', '"sNaN"', '"1e999999999"'),
    *(
        '"5"',
        '" 5"',
        '"5 "',
        '"1_0"',
        '"007"',
        '"0x10"',
        '"\uff15"',
        '"1,5"',
        '"5.0"',
        '"-0"',
        '"\\u0000"',
        '"\\ud800"',
    ),
    *('"\\udc00x"', '"\\ud83d\\ude00"', '"\u00e9"', '"e\\u0301"', '"\u05e9\u05dc\u05d5\u05dd"', '"a\\nb\\t\\"c\\\\"'),
    *(
        '"../../etc"',
        '"2025-02-30"',
        '"2025-03-03"',
        '"2025-03-03T00:00:00"',
        '"20250303"',
        '"2025-03-03T23:00:00-08:00"',
    ),
    *(
        '"0001-01-01"',
        '"9999-12-31"',
        '"' + "x" * 70_000 + '"',
        '"overall"',
        '"USD"',
        '"SUCCESS"',
        '"PENDING"',
        '"ODD"',
    ),
)
OTHERS = ("null", "true", "false", "[]", "{}", "[null]", '{"value": 1}', "[[]]", '{"": ""}')
UNKNOWN_NAMES = ("newThing", "rate", "isIncomplete", "\u00e9", "")
UNKNOWN_VALUES = ("1e400", "null", '{"deep": [1, {"er": null}]}', '"x"', "[]", "1" + "0" * 50)
LENGTHS = (
    *("0", "1", "2", "3", "1000000", "1000000000000", "-1", "null", "true", "false", '"?page=2"', '""', '"7"'),
    '"https://elsewhere.example/?page=2"',
)
LENGTH_FIELDS = ("totalItems", "totalCount", "hasNext", "nextPage", "itemsPerPage", "pageNumber")
DEPTHS = (3, 40, 70, 900, 30_000)
HALVES = ("\\ud83d", "\\ude00", "\\uD800", "\\udfff\\ud83d")
# An instant in seconds, milliseconds and microseconds, waits of years, none, dates far away, and what is not a time at all.
RETRY_AFTERS = (
    *(
        "1741212002",
        "1741212002000",
        "1741212002000000",
        "1741208400.5",
        "86400",
        "999999999",
        "1" + "0" * 400,
        "1e9",
        "1e400",
    ),
    *(
        "-1",
        "-86400",
        "0",
        "0.0001",
        "3601",
        "nan",
        "inf",
        "soon",
        "",
        " ",
        "120, 120",
        "5;5",
        "12:00",
        "P1D",
        "\u0661\u0662",
    ),
    *(
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Wed, 05 Mar 2025 22:00:02 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "2025-03-06T22:00:00Z",
    ),
    *("Wed, 05 Mar 2025 23:59:59 +1400", "Wed, 05 Mar 20250 22:00:02 GMT", "0001-01-01", "9999-12-31T23:59:59-23:59"),
)
BODIES = (b"", b" ", b"null", b"[]", b"{}", b"0", b'""', b"true", b"[" * 100_000, b'{"a":' * 30_000)
BYTES = (b"\xff", b"\x00", b"\xc3", b"\xed\xa0\x80", b"}", b'"', b",", b"0")
CODECS = ("utf-16", "utf-8-sig", "utf-32", "utf-16-le")
TYPES = ("text/html", "", "application/octet-stream", "text/plain; charset=latin-1")
JSON_TYPES = ("application/json; charset=utf-8", "Application/Problem+JSON")
STATUSES = (204, 206, 302, 304, 400, 404, 409, 418, 503)
