// Bytes that claim to be a witness file: what is read is written again and read as the same, and nothing else is kept of it.
#include "os/text/witness_text.h"

#include "core/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace statefs;
  if (size > text_limits::witness_size_max) return 0;
  const auto lines = parse_witness(as_text({data, size}));
  if (!lines.ok()) {
    STATEFS_CHECK(!lines.error().reason.empty() && lines.error().place.line > 0);
    return 0;
  }
  const auto again = parse_witness(witness_text(lines.value()));
  STATEFS_CHECK(again.ok() && again.value() == lines.value());
  return 0;
}
