#include "sim/report.h"

#include "core/crypto.h"
#include "sim/json.h"
#include "sim/report_page.h"

namespace statefs::sim {
namespace {

void add_text(Json& json, std::string_view name, const std::string& value) {
  if (!value.empty()) json.member(name, value);
}
void add_time(Json& json, std::string_view name, const std::optional<Time>& time) {
  if (time) json.member(name, time->ns);
}
void add_node(Json& json, std::string_view name, NodeId node) {
  if (node != no_node) json.member(name, std::int64_t{node});
}

void add_row(Json& json, const Row& row) {
  json.open_object().member("k", name_of(row.kind)).member("t", row.title);
  add_text(json, "o", row.op);
  add_text(json, "s", row.status);
  add_text(json, "f", row.fate);
  add_node(json, "n", row.node);
  add_node(json, "d", row.to);
  if (row.stream) json.member("c", std::int64_t{*row.stream});
  json.member("a", row.start.ns);
  add_time(json, "r", row.arrived);
  add_time(json, "e", row.end);
  if (row.is_entry) json.member("p", static_cast<std::int64_t>(row.place));
  if (!row.fields.empty()) {
    json.name("F").open_array();
    for (const Field& field : row.fields) json.open_array().text(field.name).text(field.value).close_array();
    json.close_array();
  }
  if (!row.hex.empty()) json.member("z", static_cast<std::int64_t>(row.size)).member("h", row.hex);
  if (!row.links.empty()) {
    json.name("l").open_array();
    for (const RowLink& link : row.links) json.open_array().text(link.name).number(static_cast<std::int64_t>(link.row)).close_array();
    json.close_array();
  }
  json.close_object();
}

void add_stream(Json& json, const StoryStream& stream) {
  json.open_object().member("id", std::int64_t{stream.id});
  add_node(json, "from", stream.connector);
  add_node(json, "to", stream.acceptor);
  if (!stream.ending.empty()) json.member("ending", stream.ending);
  json.name("spans").open_array();
  for (const StreamSpan& span : stream.spans) json.open_array().text(span.state).number(span.from.ns).number(span.to.ns).close_array();
  json.close_array().close_object();
}

std::string data_of(const Story& story) {
  std::string out;
  Json json(out);
  json.open_object().member("verdict", story.verdict_line).member("plan", story.plan).member("end", story.end.ns);
  json.member("dropped", static_cast<std::int64_t>(story.dropped_count));
  json.name("nodes").open_array();
  for (const StoryNode& node : story.nodes) {
    json.open_object().member("id", std::int64_t{node.id});
    json.name("connects").boolean(node.connects).name("accepts").boolean(node.accepts).close_object();
  }
  json.close_array().name("streams").open_array();
  for (const StoryStream& stream : story.streams) add_stream(json, stream);
  json.close_array().name("checks").open_array();
  for (const StoryCheck& check : story.checks) {
    json.open_object().member("name", check.name).member("judged", static_cast<std::int64_t>(check.judged)).member("failure", check.failure);
    if (check.row) json.member("row", static_cast<std::int64_t>(*check.row)).member("time", check.time.ns);
    json.close_object();
  }
  json.close_array().name("rows").open_array();
  for (const Row& row : story.rows) add_row(json, row);
  json.close_array().close_object();
  return out;
}

std::string base64(ByteView bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = bytes.size() - at < 3 ? bytes.size() - at : 3;
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < 3; ++i) word = word << 8 | (i < count ? bytes[at + i] : 0u);
    for (std::size_t i = 0; i < 4; ++i) out += i <= count ? letters[word >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

// What stands in a page between `opening` and the end of its element.
std::string_view inside(std::string_view page, std::string_view opening, std::string_view closing) {
  const std::size_t from = page.find(opening);
  STATEFS_CHECK(from != std::string_view::npos);
  const std::string_view rest = page.substr(from + opening.size());
  const std::size_t size = rest.find(closing);
  STATEFS_CHECK(size != std::string_view::npos);
  return rest.substr(0, size);
}

// As a content security policy names a script or style.
std::string hash_source(std::string_view text) { return "sha256-" + base64(Sha256().of(as_bytes(text))); }

}  // namespace

std::string render_report(const Story& story) {
  std::string out;
  std::string_view rest = report_page();
  const std::string_view page = rest;
  const auto fill = [&](std::string_view name, const std::string& value) {
    const std::size_t at = rest.find(name);
    STATEFS_CHECK(at != std::string_view::npos);
    out.append(rest.substr(0, at)).append(value);
    rest = rest.substr(at + name.size());
  };
  fill("@SCRIPT_HASH@", hash_source(inside(page, "<script>", "</script>")));
  fill("@STYLE_HASH@", hash_source(inside(page, "<style>", "</style>")));
  fill("@DATA@", data_of(story));
  return out.append(rest);
}

}  // namespace statefs::sim
