// JSON: values as text that may also stand inside a page: no byte of a value can end its string or its element.
//
//   report.h, perfetto.h -> JSON -> a file
//
// The text is ASCII. `<`, `>`, `&`, quotes, control characters and every byte above 0x7e are written as \u00XX, so
// neither `</script>` nor U+2028 can come about. The caller opens and closes in pairs; commas are set here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace statefs::sim {

class Json {
 public:
  // `out` outlives the writer.
  explicit Json(std::string& out) : out_(out) {}

  Json& open_object() { return open('{'); }
  Json& close_object() { return close('}'); }
  Json& open_array() { return open('['); }
  Json& close_array() { return close(']'); }
  Json& name(std::string_view text);  // of the member whose value comes next
  Json& text(std::string_view value);
  Json& number(std::int64_t value);
  // Nanoseconds as microseconds with three decimals, as trace viewers want them.
  Json& microseconds(std::int64_t ns);
  Json& boolean(bool value);

  Json& member(std::string_view key, std::string_view value) { return name(key).text(value); }
  Json& member(std::string_view key, std::int64_t value) { return name(key).number(value); }

 private:
  Json& open(char bracket);
  Json& close(char bracket);
  void separate();
  void quote(std::string_view value);

  std::string& out_;
  bool is_first_ = true;
  bool is_named_ = false;
};

}  // namespace statefs::sim
