#!/bin/sh
# Checks the signature of a request with openssl and shell tools alone:
#
#     verify_by_hand.sh ENVELOPE CONTENT CERTIFICATE
#
# The envelope is as it went over the wire, with its xop:Include; the content is the message. Each
# element of our requests that is signed declares its own namespaces, so that cutting it out is to
# canonicalise it; xmllint makes sure.
set -eu
envelope=$1 content=$2 certificate=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() {
    echo "verify_by_hand: $*" >&2
    exit 1
}
cut_out() { # ELEMENT FILE: from the only start tag to the only end tag
    tr -d '\n' <"$2" | sed -n "s|.*\\(<$1[ >].*</$1>\\).*|\\1|p" | tr -d '\n'
}
value_of() { # ELEMENT FILE
    cut_out "$1" "$2" | sed 's|^<[^>]*>||; s|<[^>]*>$||'
}
digest_for() { # ID: the DigestValue of its Reference
    sed "s|.*<ds:Reference URI=\"#$1\">||; s|</ds:Reference>.*||; s|.*<ds:DigestValue>||; s|</ds:DigestValue>.*||" \
        "$scratch/info"
}

cut_out ds:SignedInfo "$envelope" >"$scratch/info"
xmllint --exc-c14n "$scratch/info" | tr -d '\n' | cmp - "$scratch/info" || fail "SignedInfo is not canonical"

# The infoset's Body: the content's base64 stands where xop:Include does.
cut_out soap:Body "$envelope" >"$scratch/body"
{
    sed 's|<xop:Include.*||' "$scratch/body" | tr -d '\n'
    base64 -w 0 "$content"
    sed 's|.*</xop:Include>||' "$scratch/body" | tr -d '\n'
} >"$scratch/infoset"
for part in body:infoset timestamp:wsu:Timestamp to:wsa:To action:wsa:Action message-id:wsa:MessageID; do
    id=${part%%:*} element=${part#*:}
    if [ "$element" = infoset ]; then
        cp "$scratch/infoset" "$scratch/part"
    else
        cut_out "$element" "$envelope" >"$scratch/part"
    fi
    [ -s "$scratch/part" ] || fail "there is no $element"
    made=$(openssl dgst -sha256 -binary "$scratch/part" | base64 -w 0)
    [ "$made" = "$(digest_for "$id")" ] || fail "the digest of $element is another"
done

value_of ds:SignatureValue "$envelope" | base64 -d >"$scratch/signature"
method=$(sed 's|.*<ds:SignatureMethod Algorithm="\([^"]*\)".*|\1|' "$scratch/info")
digest=-$(echo "$method" | sed 's|.*\(sha[0-9]*\).*|\1|')
openssl x509 -in "$certificate" -noout -pubkey >"$scratch/public"
set --
case $method in
*-rsa-MGF1) set -- -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 ;;
*\#ecdsa-*)
    # r and s, half of the octets each (RFC 9231 2.3.6), as the DER that openssl wants.
    all=$(od -An -v -tx1 "$scratch/signature" | tr -d ' \n')
    half=$((${#all} / 2))
    {
        echo 'asn1 = SEQUENCE:both'
        echo '[both]'
        echo "r = INTEGER:0x$(echo "$all" | cut -c "1-$half")"
        echo "s = INTEGER:0x$(echo "$all" | cut -c "$((half + 1))-")"
    } >"$scratch/asn1"
    openssl asn1parse -genconf "$scratch/asn1" -noout -out "$scratch/signature"
    ;;
esac
openssl dgst "$digest" -verify "$scratch/public" "$@" -signature "$scratch/signature" "$scratch/info" >&2 ||
    fail "the signature does not hold"
echo "$method"
