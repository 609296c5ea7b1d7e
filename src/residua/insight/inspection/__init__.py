"""Inside a network: filters, feature maps, strongest pictures, channels that are never on."""
