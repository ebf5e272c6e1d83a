#include "core/crypto.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/core/hex.h"

namespace statefs {
namespace {

SecretKey secret(std::string_view hex) { return SecretKey(array_from_hex<32>(hex)); }
PublicKey point(std::string_view hex) { return PublicKey{array_from_hex<32>(hex)}; }
std::string hex_of(const SecretKey& key) { return to_hex(key.bytes()); }

// RFC 7748 section 6.1.
constexpr std::string_view alice_private = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
constexpr std::string_view alice_public = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
constexpr std::string_view bob_private = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
constexpr std::string_view bob_public = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
constexpr std::string_view alice_bob_shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

TEST(X25519, AgreesWithRfc7748KeyPairs) {
  const auto suite = make_crypto_suite();
  const auto alice = suite->import(secret(alice_private));
  const auto bob = suite->import(secret(bob_private));
  EXPECT_EQ(to_hex(alice->public_key().bytes), alice_public);
  EXPECT_EQ(to_hex(bob->public_key().bytes), bob_public);
  EXPECT_EQ(hex_of(alice->agree(bob->public_key()).value()), alice_bob_shared);
  EXPECT_EQ(hex_of(bob->agree(alice->public_key()).value()), alice_bob_shared);
}

// RFC 7748 section 5.2, the two single multiplications; the second point has its top bit set, which is ignored.
TEST(X25519, AgreesWithRfc7748Multiplications) {
  const auto suite = make_crypto_suite();
  const auto first = suite->import(secret("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"));
  EXPECT_EQ(
      hex_of(first->agree(point("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")).value()),
      "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  const auto second = suite->import(secret("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"));
  EXPECT_EQ(
      hex_of(second->agree(point("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")).value()),
      "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

// The points of order 1, 2, 4 and 8 (RFC 7748 section 6.1), in every encoding below 2^255.
TEST(X25519, RefusesEveryLowOrderPoint) {
  const std::string_view low_order[] = {
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  };
  const auto suite = make_crypto_suite();
  const auto alice = suite->import(secret(alice_private));
  for (const std::string_view bad : low_order) {
    const auto shared = alice->agree(point(bad));
    ASSERT_FALSE(shared.ok()) << bad;
    EXPECT_EQ(shared.error(), DhError::invalid_point);
    // The key goes on working after a refusal.
    EXPECT_EQ(hex_of(alice->agree(point(bob_public)).value()), alice_bob_shared);
  }
}

// Of the vectors of RFC 8439 only appendix A.5 begins its nonce with 32 zero bits, as Noise always does; the rest of
// that nonce, 01 02 .. 08, is the counter 0x0807060504030201.
TEST(ChaChaPoly, OpensRfc8439AppendixA5) {
  const auto suite = make_crypto_suite();
  const auto aead = suite->aead(secret("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0"));
  const Bytes associated = from_hex("f33388860000000000004e91");
  Bytes sealed = from_hex(
      "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b010"
      "0d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c8559797a06ef4f0ef61c186324e2b3506"
      "383606907b6a7c02b0f9f6157b53c867e4b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa"
      "1155b0047718cbc546a0d072b04b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097"
      "a1049e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709beead9d67890cbb22392336fea1"
      "851f38");
  Bytes plaintext(sealed.size() - 16);
  ASSERT_TRUE(aead->open(0x0807060504030201, associated, sealed, plaintext.data()));
  const std::string_view text = as_text(plaintext);
  EXPECT_EQ(text.substr(0, 64), "Internet-Drafts are draft documents valid for a maximum of six m");
  Bytes again(sealed.size());
  aead->seal(0x0807060504030201, associated, plaintext, again.data());
  EXPECT_EQ(again, sealed);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    sealed[i] ^= 0x10;
    EXPECT_FALSE(aead->open(0x0807060504030201, associated, sealed, plaintext.data())) << i;
    sealed[i] ^= 0x10;
  }
  EXPECT_FALSE(aead->open(0x0807060504030202, associated, sealed, plaintext.data()));
  EXPECT_FALSE(aead->open(0x0807060504030201, {}, sealed, plaintext.data()));
  EXPECT_TRUE(aead->open(0x0807060504030201, associated, sealed, plaintext.data()));
}

TEST(ChaChaPoly, SealsEveryNonceAndSizeDifferently) {
  const auto suite = make_crypto_suite();
  const auto aead = suite->aead(secret(alice_private));
  const Bytes plaintext(200, 7);
  Bytes previous;
  for (std::size_t size = 0; size <= plaintext.size(); ++size) {
    Bytes sealed(size + 16);
    aead->seal(size, {}, ByteView(plaintext).first(size), sealed.data());
    Bytes opened(size);
    ASSERT_TRUE(aead->open(size, {}, sealed, opened.data()));
    EXPECT_TRUE(equal(opened, ByteView(plaintext).first(size)));
    EXPECT_FALSE(equal(ByteView(sealed).last(16), previous));
    previous.assign(sealed.end() - 16, sealed.end());
  }
}

// RFC 7693 appendix B ("abc") and the empty message of the BLAKE2 reference test data.
TEST(Blake2s, AgreesWithRfc7693) {
  const auto suite = make_crypto_suite();
  const std::string_view abc = "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982";
  EXPECT_EQ(to_hex(suite->hash(as_bytes("abc"), {})), abc);
  EXPECT_EQ(to_hex(suite->hash(as_bytes("a"), as_bytes("bc"))), abc);
  EXPECT_EQ(to_hex(suite->hash({}, as_bytes("abc"))), abc);
  EXPECT_EQ(to_hex(suite->hash({}, {})), "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9");
}

// HMAC by its definition (RFC 2104) over the hash above: libcrypto's HMAC must be that, block size 64.
TEST(Blake2s, HmacIsHmacOfRfc2104) {
  const auto suite = make_crypto_suite();
  Digest key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i * 7 + 1);
  for (const std::string_view message : {"", "x", "a message too long for one block of sixty-four bytes, by a few"}) {
    Bytes inner(64, 0x36);
    Bytes outer(64, 0x5c);
    for (std::size_t i = 0; i < key.size(); ++i) {
      inner[i] ^= key[i];
      outer[i] ^= key[i];
    }
    const Digest expected = suite->hash(outer, suite->hash(inner, as_bytes(message)));
    const ByteView bytes = as_bytes(message);
    EXPECT_EQ(suite->hmac(key, bytes, {}), expected);
    EXPECT_EQ(suite->hmac(key, bytes.first(bytes.size() / 2), bytes.subspan(bytes.size() / 2)), expected);
  }
}

// FIPS 180-2 appendix B, and the empty message.
TEST(Sha256, AgreesWithFips180) {
  Sha256 sha;
  EXPECT_EQ(to_hex(sha.of(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha.of(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(to_hex(sha.of({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  sha.begin();
  for (int i = 0; i < 1000; ++i) sha.update(Bytes(1000, 'a'));
  EXPECT_EQ(to_hex(sha.finish()), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PartsMakeTheHashOfTheirConcatenation) {
  Sha256 sha;
  const Digest whole = sha.of(as_bytes("one two three"));
  EXPECT_EQ(sha.of(as_bytes("one "), as_bytes("two "), as_bytes("three")), whole);
  Sha256 moved = std::move(sha);
  EXPECT_EQ(moved.of(as_bytes("one two"), {}, as_bytes(" three")), whole);
}

// RFC 4231, cases 1 to 4. The type takes 32-byte keys only; zeros after a shorter key are what HMAC itself adds.
TEST(HmacSha256, AgreesWithRfc4231) {
  struct Case {
    std::string key;
    std::string message;
    std::string mac;
  };
  const Case cases[] = {
      {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(40, 'a'), std::string(100, 'd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {"0102030405060708090a0b0c0d0e0f10111213141516171819",
       to_hex(Bytes(50, 0xcd)),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
  };
  for (const Case& c : cases) {
    Bytes key = from_hex(c.key);
    key.resize(32);
    HmacSha256 hmac{SecretKey(std::span<const std::uint8_t, 32>(key))};
    // Twice, because the key schedule is kept between uses.
    EXPECT_EQ(to_hex(hmac.of(from_hex(c.message))), c.mac);
    EXPECT_EQ(to_hex(hmac.of(from_hex(c.message))), c.mac);
  }
}

TEST(SecretKey, WipeOverwrites) {
  Bytes bytes(40, 0xaa);
  wipe(bytes);
  EXPECT_EQ(bytes, Bytes(40, 0));
}

}  // namespace
}  // namespace statefs
