// HEX: bytes as lower-case hexadecimal digits, for files, output and messages; text/text_values.h reads them back.
#pragma once

#include <string>

#include "core/bytes.h"

namespace statefs {

[[nodiscard]] std::string to_hex(ByteView bytes);

}  // namespace statefs
