#include "tests/core/noise_vectors.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "tests/core/hex.h"

namespace statefs {
namespace {

// As much of JSON as vector files use: strings without escapes, lists, objects.
struct Json {
  std::string text;
  std::vector<Json> list;
  std::map<std::string, Json> fields;

  [[nodiscard]] bool has(const std::string& field) const { return fields.count(field) != 0; }
  // An absent field is empty, as some files leave out an empty prologue.
  [[nodiscard]] Bytes hex(const std::string& field) const {
    const auto at = fields.find(field);
    return at == fields.end() ? Bytes{} : from_hex(at->second.text);
  }
  [[nodiscard]] SecretKey secret(const std::string& field) const {
    return SecretKey(array_from_hex<32>(fields.at(field).text));
  }
};

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : rest_(text) {}

  Json value() {
    Json json;
    const char first = next();
    if (first == '"') {
      const std::size_t end = rest_.find('"');
      STATEFS_CHECK(end != std::string_view::npos && rest_.substr(0, end).find('\\') == std::string_view::npos);
      json.text = rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      return json;
    }
    STATEFS_CHECK(first == '[' || first == '{');
    const char last = first == '[' ? ']' : '}';
    while (peek() != last) {
      if (first == '{') {
        const std::string name = value().text;
        STATEFS_CHECK(next() == ':');
        json.fields[name] = value();
      } else {
        json.list.push_back(value());
      }
      if (peek() == ',') next();
    }
    next();
    return json;
  }

 private:
  char peek() {
    const std::size_t at = rest_.find_first_not_of(" \t\r\n");
    STATEFS_CHECK(at != std::string_view::npos);
    rest_.remove_prefix(at);
    return rest_.front();
  }
  char next() {
    const char c = peek();
    rest_.remove_prefix(1);
    return c;
  }
  std::string_view rest_;
};

constexpr std::string_view plain_xk = "Noise_XK_25519_ChaChaPoly_BLAKE2s";

bool has_psk(const Json& json) {
  const auto psks = json.fields.find("init_psks");
  return json.has("preshared_key") || (psks != json.fields.end() && !psks->second.list.empty());
}

void read_messages(const Json& json, NoiseVector& out) {
  for (const Json& message : json.fields.at("messages").list) {
    const bool turn = out.messages.size() % 2 == 0;
    const bool by_initiator = message.has("sender") ? message.fields.at("sender").text == "initiator" : turn;
    out.messages.push_back({by_initiator, message.hex("payload"), message.hex("ciphertext")});
  }
}

void read_numbered_messages(const Json& json, NoiseVector& out) {
  for (std::size_t i = 0;; ++i) {
    const std::string field = "msg_" + std::to_string(i);
    if (!json.has(field + "_ciphertext")) return;
    const bool by_initiator = i < 3 ? i % 2 == 0 : i % 2 == 1;
    out.messages.push_back({by_initiator, json.hex(field + "_payload"), json.hex(field + "_ciphertext")});
  }
}

void read_vector(const Json& json, std::vector<NoiseVector>& out) {
  const bool numbered = json.has("handshake");
  const std::string protocol_field = numbered ? "handshake" : json.has("protocol_name") ? "protocol_name" : "name";
  if (json.fields.at(protocol_field).text != plain_xk || has_psk(json)) return;
  NoiseVector vector;
  vector.name = json.has("name") ? json.fields.at("name").text : "vector " + std::to_string(out.size());
  vector.prologue = json.hex(numbered ? "prologue" : "init_prologue");
  vector.initiator_static = json.secret("init_static");
  vector.responder_static = json.secret("resp_static");
  vector.initiator_ephemeral = json.secret(numbered ? "gen_init_ephemeral" : "init_ephemeral");
  vector.responder_ephemeral = json.secret(numbered ? "gen_resp_ephemeral" : "resp_ephemeral");
  vector.handshake_hash = json.hex("handshake_hash");
  vector.initiator_stream = json.hex("initiator_stream");
  vector.responder_stream = json.hex("responder_stream");
  if (numbered) {
    read_numbered_messages(json, vector);
  } else {
    read_messages(json, vector);
  }
  STATEFS_CHECK(vector.messages.size() >= 3);
  out.push_back(std::move(vector));
}

}  // namespace

bool file_exists(const std::string& path) { return std::ifstream(path).good(); }

std::vector<NoiseVector> read_noise_vectors(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(file.good()) << path;
  std::vector<NoiseVector> out;
  if (text.str().empty()) return out;
  const std::string whole = text.str();
  const Json json = JsonReader(whole).value();
  for (const char* const group : {"vectors", "flynn_format_vectors"}) {
    if (!json.has(group)) continue;
    // Some files wrap each vector with where it came from.
    for (const Json& entry : json.fields.at(group).list) {
      read_vector(entry.has("vector") ? entry.fields.at("vector") : entry, out);
    }
  }
  return out;
}

}  // namespace statefs
