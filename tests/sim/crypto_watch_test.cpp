#include "sim/crypto_watch.h"

#include <gtest/gtest.h>

#include "sim/stand_in_suite.h"

namespace statefs::sim {
namespace {

constexpr std::size_t size = 8;

struct Watched {
  CryptoWatch watch;
  std::unique_ptr<Suite> suite = watch.wrap(make_stand_in_suite());
  std::unique_ptr<Aead> sealer = suite->aead(SecretKey{});
  std::unique_ptr<Aead> opener = suite->aead(SecretKey{});
  Bytes plain = Bytes(size, 'p');
  Bytes sealed = Bytes(size + limits::aead_tag_size);

  void seal(std::uint64_t nonce) { sealer->seal(nonce, {}, plain, sealed.data()); }
  bool open(std::uint64_t nonce) { return opener->open(nonce, {}, sealed, plain.data()); }
};

TEST(CryptoWatch, AcceptsNoncesThatAscendByOne) {
  Watched w;
  for (std::uint64_t nonce = 0; nonce < 3; ++nonce) {
    w.seal(nonce);
    EXPECT_TRUE(w.open(nonce));
  }
  EXPECT_EQ(w.watch.result().failure, "");
  EXPECT_EQ(w.watch.result().judged, 6u);
  EXPECT_TRUE(w.watch.refusals().empty());
}

TEST(CryptoWatch, ObjectsToANonceTwice) {
  Watched w;
  w.seal(0);
  w.seal(0);
  EXPECT_NE(w.watch.result().failure, "");
}

TEST(CryptoWatch, ObjectsToWhatIsOpenedBehindARefusal) {
  Watched w;
  w.seal(0);
  w.sealed[0] ^= 1;
  EXPECT_FALSE(w.open(0));
  ASSERT_EQ(w.watch.refusals().size(), 1u);
  EXPECT_FALSE(w.watch.refusals()[0].is_handshake);
  EXPECT_EQ(w.watch.result().failure, "");
  w.seal(1);
  EXPECT_TRUE(w.open(1));
  EXPECT_NE(w.watch.result().failure, "");
}

}  // namespace
}  // namespace statefs::sim
