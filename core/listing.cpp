#include "core/listing.h"

#include "core/key.h"

namespace statefs {

bool is_page(const ListResponse& page, std::string_view prefix, std::string_view cursor) {
  std::string_view last = cursor;
  for (const ListEntry& entry : page.entries) {
    const std::string_view key = as_text(entry.key);
    if (!CanonicalKey::from(entry.key).ok() || !key.starts_with(prefix) || key <= last) return false;
    last = key;
  }
  return !page.has_more || !page.entries.empty();
}

}  // namespace statefs
